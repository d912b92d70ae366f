# The one entry for people and CI. Everything heavy lies outside the checkout, in $(CACHE), by version or hash.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export WHISPER_OPERATOR_CACHE ?= $(HOME)/.cache/whisper-operator
export PYTHONPATH := operator:plugin:runtime:.
export PYTHONDONTWRITEBYTECODE := 1
PYTHON = $$(hack/python.sh)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## everything that demo and test need, without starting anything
	@python3 -m testbed.demo setup

# V=1 shows what the steps log; CLUSTER=kubeconfig uses the cluster that kubectl talks to, CLUSTER=own never asks.
.PHONY: demo
demo: ## a real cluster, the operator, a WhisperService, and spoken words as text
	@python3 -m testbed.demo up

.PHONY: demo-down
demo-down: cluster-down ## removes what demo left up

.PHONY: platform
platform: ## the cluster with the operator in it, as tests/e2e needs it
	@python3 -m testbed.demo platform

.PHONY: test
test: ## every test, on a real cluster
	@$(MAKE) --no-print-directory --jobs 2 lint platform
	@hack/test.sh

.PHONY: test-controlplane
test-controlplane: ## the operator on a real API server: no node, no root
	@$(PYTHON) -m pytest tests/controlplane -m "not long"

.PHONY: test-unit
test-unit: ## what needs no cluster, in some two minutes
	@$(PYTHON) -m pytest tests -m "not slow and not long" --ignore tests/e2e --ignore tests/controlplane --ignore tests/chart --ignore tests/neighbours

.PHONY: neighbours
neighbours: platform ## real proxies, Prometheus, cert-manager, Flux, KEDA, kube-router, a driver of GPUs, krew and a registry beside the operator; builds them once
	@$(PYTHON) -m pytest tests/neighbours

.PHONY: clients
clients: ## public clients in five languages against a real runtime; builds them once, writes docs/reference/clients.md
	@$(PYTHON) -m testbed.clients

.PHONY: campaign
campaign: ## what takes long: faults, killed servers, hostile specs, overload, a soak; writes docs/reports/
	@$(PYTHON) -m chaos faults
	@$(PYTHON) -m chaos jobs
	@HYPOTHESIS_PROFILE=campaign $(PYTHON) -m pytest tests/controlplane/service/test_hostile_specs.py
	@python3 -m testbed.demo platform
	@$(PYTHON) -m chaos pods
	@$(PYTHON) -m chaos fleet
	@$(PYTHON) -m pytest tests -m long
	@CHAOS_ROUNDS=20 $(PYTHON) -m pytest -s tests/e2e/test_model_change.py
	@$(PYTHON) -m benchmarks.load overload
	@$(PYTHON) -m benchmarks.load soak

.PHONY: bench-operator
bench-operator: ## how fast the operator converges, by the API server's audit log, and what bounds it
	@$(PYTHON) -m benchmarks.operator.convergence

# BEFORE is any commit; the build before the folders became the pipeline, where it is not given.
.PHONY: bench-against
bench-against: ## this build beside an earlier commit (BEFORE=…), in turns; writes docs/reports/against.md
	@$(PYTHON) -m benchmarks.against $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-rest
bench-rest: ## what the operator asks for at rest, and after a restart; then under a policy that changes what it applies
	@$(PYTHON) -m benchmarks.operator.rest
	@$(PYTHON) -m benchmarks.operator.mutated

.PHONY: lint
lint: ## ruff, pyright strict, the import rules, a type's name once, no conflict marker, nothing generated stale
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .
	@$(PYTHON) -m pyright --pythonpath $(PYTHON)
	@$$(dirname $(PYTHON))/lint-imports --no-logo
	@$(PYTHON) -m hack.lint.type_names
	@! git grep -n '^<<<<<<< '
	@$(PYTHON) -m hack.generate --check

.PHONY: gen
gen: ## writes what is generated: CRD, reference, the chart's schema
	@$(PYTHON) -m hack.generate

SITE ?= dist/site

.PHONY: site
site: ## the documents as a site, in SITE (dist/site); a dead link or a page without a way to it fails
	@NO_MKDOCS_2_WARNING=1 $$(hack/python.sh site) -m mkdocs --quiet build --strict --site-dir $(SITE)

.PHONY: requirements
requirements: ## pins every dependency by hash, from pyproject.toml
	@hack/requirements.sh

# KEY is a private key on P-256: docs/how-to/release.md.
.PHONY: release
release: ## everything of a release but the push, signed with KEY=…; into dist/release
	@$(PYTHON) -m hack.release $(if $(KEY),--key $(KEY))

.PHONY: images
images: ## builds both images from their Dockerfiles
	@python3 -m testbed.images

.PHONY: cluster
cluster: ## brings up a real single-node Kubernetes
	@python3 -m testbed.cluster up

.PHONY: cluster-down
cluster-down: ## removes it: no process, mount, interface or iptables chain is left
	@python3 -m testbed.cluster down

.PHONY: kubeconfig
kubeconfig: ## prints the running cluster's kubeconfig path (make -s kubeconfig)
	@python3 -m testbed.cluster kubeconfig

.PHONY: gpu-stand-ins
gpu-stand-ins: ## benchmarks load what a pod without a GPU loads in the place of NVIDIA's libraries; takes gcc
	@$(PYTHON) -m whisper_runtime.process.gpu_stand_ins

.PHONY: parity
parity: ## the engine against whisper.transcribe, over the whole corpus; slow: upstream answers each case once
	@$(PYTHON) -m benchmarks.parity

.PHONY: bench-runtime
bench-runtime: ## this runtime, a plain handler and faster-whisper on the same weights; writes docs/reports/runtime-bench.md
	@$(PYTHON) -m benchmarks.runtime

.PHONY: bench-speakers
bench-speakers: ## who speaks when, in dialogues whose truth is known; writes docs/reports/speakers.md
	@$(PYTHON) -m benchmarks.diarization

.PHONY: bench-shared
bench-shared: ## this build beside an earlier commit (BEFORE=…) on processors that others use; writes docs/reports/shared.md
	@$(PYTHON) -m benchmarks.shared $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-tails
bench-tails: ## how long the slowest of eight clients wait, beside an earlier commit (BEFORE=…); writes docs/reports/tails.md
	@$(PYTHON) -m benchmarks.runtime.tails $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-jobs
bench-jobs: ## what a job takes beyond its work, and beside 100,000 others; what a kept result takes; what jobs cost requests; writes docs/reports/jobs.md
	@$(PYTHON) -m benchmarks.jobs

.PHONY: bench-front
bench-front: ## what a front adds to a request, how many it refuses or answers by kept results, its memory and its start; writes docs/reports/front.md
	@$(PYTHON) -m benchmarks.front

.PHONY: bench-fairness
bench-fairness: ## how long a client with two files waits beside one with 200, by a front and two servers; writes docs/reports/fairness.md
	@$(PYTHON) -m benchmarks.fairness

.PHONY: bench-zero
bench-zero: platform ## from a request to a service without a pod until its words, in parts, on the real cluster; writes docs/reports/zero.md
	@$(PYTHON) -m benchmarks.zero

.PHONY: bench-scale
bench-scale: ## what each call costs a real Valkey, and how many pods and how much audio one bears; writes docs/reports/scale.md
	@$(PYTHON) -m benchmarks.scale

.PHONY: bench-scaling
bench-scaling: ## how real autoscalers follow a step of load over played pods, by audio and by CPU; writes docs/reports/scaling.md
	@$(PYTHON) -m benchmarks.scaling

.PHONY: bench-plugin
bench-plugin: ## how long `kubectl whisper status` takes with a thousand services; writes docs/reports/plugin.md
	@$(PYTHON) -m benchmarks.plugin

.PHONY: bench-beside
bench-beside: ## how long short clips take beside a recording of ten minutes; writes docs/reports/runtime-beside.md
	@$(PYTHON) -m benchmarks.load beside --model base --requests 12

.PHONY: bench-precision
bench-precision: ## what bfloat16 is worth on this processor; writes its row of docs/reports/precision.md
	@OMP_WAIT_POLICY=PASSIVE $(PYTHON) -m benchmarks.runtime.precision

.PHONY: bench-connections
bench-connections: ## what the server adds to its engine's work on a kept connection; writes docs/reports/runtime-connections.md
	@$(PYTHON) -m benchmarks.load.kept $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-step
bench-step: ## what one decoding step takes, by rows; on a GPU also how much of it the GPU computes
	@$(PYTHON) -m benchmarks.runtime.step

.PHONY: bench-start
bench-start: ## from a process's start until it is ready, beside an earlier commit (BEFORE=…); writes docs/reports/runtime-start.md
	@$(PYTHON) -m benchmarks.runtime.start $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-words
bench-words: ## how long the times of a window's words take, beside an earlier commit (BEFORE=…)
	@$(PYTHON) -m benchmarks.runtime.words $(if $(BEFORE),--commit $(BEFORE))

.PHONY: bench-languages
bench-languages: ## words wrong in five languages, and in translations, beside whisper.transcribe; writes docs/reports/languages.md
	@$(PYTHON) -m benchmarks.runtime.languages

.PHONY: gpu-kit
gpu-kit: ## the folder that a machine with a card needs beside this checkout: wheels, weights, recordings
	@$(PYTHON) -m benchmarks.gpu.kit $(if $(KIT),--kit $(KIT))

# On a bare machine: its own python3, with torch. Without make: PYTHONPATH=operator:runtime:. python3 -m benchmarks.gpu
.PHONY: gpu
gpu: ## on one H100 or H200, in nine minutes: tests on the card, steps, encoder, requests; writes docs/reports/gpu.md
	@python3 -m benchmarks.gpu $(if $(KIT),--kit $(KIT)) $(if $(OUT),--out $(OUT))

.PHONY: gpu-rehearsal
gpu-rehearsal: ## the same on this machine's CPU, with the card's versions of Python and torch and a small model
	@benchmarks/gpu/rehearse.sh $(if $(KIT),--kit $(KIT)) $(if $(OUT),--out $(OUT))

.PHONY: bench-loading
bench-loading: ## how long a model of large-v3's size takes to load, and in how much memory
	@$(PYTHON) -m benchmarks.runtime.loading

.PHONY: bench-accuracy
bench-accuracy: ## how many words are wrong, by precision, and where a long file's windows run side by side
	@$(PYTHON) -m benchmarks.runtime.accuracy

.PHONY: python
python: ## prints the development environment's interpreter (make -s python)
	@hack/python.sh
