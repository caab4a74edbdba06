-- What is watched now, and where a version ran before, found without reading the past.
create index deployment_watched on deployment (watch_until) where watch_until is not null;
create index deployment_version on deployment (service, environment, version, at);
create index deployment_commit on deployment (service, environment, commit_sha, at);
