"""Live feedback: one stream of server-sent events per open page, fed by one poller per process."""
