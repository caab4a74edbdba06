//! What really happened: deployments, the watch, outcomes.
