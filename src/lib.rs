//! Tidegate reads the tide; a person holds the helm.
//!
//! Someone types `/deploy plan`. Tidegate gathers what the organisation knows, answers with flags, a risk score that
//! shows its reasons and a suggested window, records the humans who approve, and after the deployment watches
//! production and speaks up in the same thread. It never deploys and never decides.
//!
//! # The map
//!
//! An [`event`] arrives (a command, a reaction, a webhook, a timer), is stored by [`work`] before it is acknowledged,
//! and is handled once: a [`command`] is parsed by its spec, [`source`]s are asked, [`advice`] is computed, and what
//! follows (state, [`ledger`] entry, messages, due times) is one transaction of the [`store`]. [`chat`] carries the
//! messages out.
//!
//! # Invariants
//!
//! `tests/structure/` and `clippy.toml` keep these.
//!
//! 1. [`advice`], [`message`], [`wording`] and [`picture`] are pure: no clock, no I/O, no randomness.
//! 2. SQL on our own store is only in [`store`]; `source::database` speaks to other people's databases.
//! 3. Time comes only from [`clock`]; settings only from [`config`]; HTTP clients only from [`http`].
//! 4. Traits only where production has several implementations: `source::Source`, `chat::Chat`.
//! 5. No `cfg(test)` outside test modules, and no switch that means "this is a test".
//! 6. `commands/*.toml` is the one definition of every command: parser, form, help and the table in the README.
//! 7. No subprocess is started with words from outside.

pub mod advice;
pub mod app;
pub mod approval;
pub mod audit;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod deploy;
pub mod event;
pub mod gate;
pub mod hold;
pub mod http;
pub mod learn;
pub mod ledger;
pub mod message;
pub mod name;
pub mod people;
pub mod picture;
pub mod plan;
pub mod source;
pub mod store;
pub mod target;
pub mod web;
pub mod webhook;
pub mod wording;
pub mod work;
