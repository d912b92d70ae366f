"""Commands for whoever looks after services: what their pods log, whether they are well, and what their claims hold."""
