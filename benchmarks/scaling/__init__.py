"""How autoscalers follow a step of load: real ones, over pods that are played."""
