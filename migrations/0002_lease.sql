-- Who does what only one replica may do at a time: holding a chat's connection. Whoever does not renew loses it.
create table lease (
    name text primary key,
    holder text not null,
    until bigint not null
);
