-- Who does what only one replica may do at a time: holding a chat's connection. Whoever does not renew loses it.
create table lease (
    name text primary key,
    holder text not null,
    until bigint not null
);

-- The few pieces of work that somebody holds, so that a lane's holder is found without reading the lane.
create index work_held on work (lane) where lease_until is not null and done_at is null and dead_at is null;
