-- When whoever gave a word was on call for the service, if they were as they gave it.
alter table word add column on_call_at bigint;
