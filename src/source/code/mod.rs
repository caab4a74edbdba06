//! What is read in the same way wherever code is kept, in a repository on disk or on a host: what commits say, which paths
//! belong to a service, which files are migrations.

pub(super) mod brings;
pub(super) mod commit;
pub(super) mod compared;
pub(super) mod declared;
pub(super) mod lines;
pub(super) mod migration;
pub(super) mod owners;
pub(super) mod packages;
pub(super) mod paths;
pub(super) mod place;
pub(super) mod rollback;
