//! Faults that a story plans.

use std::time::Duration;

/// What happens to a request instead of, or after, what it asks for.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429: come again after so many seconds.
    Slow(f64),
    /// This status and Discord's code; nothing was done.
    Refuse(u16, i64),
    /// It is done, and the answer never arrives: the line breaks in the middle of it.
    Cut,
    /// It is done, and the answer comes so late.
    Late(Duration),
}

/// A fault for the next `times` requests of this method whose path contains this.
#[derive(Clone, Debug)]
pub struct Planned {
    pub method: &'static str,
    pub path: String,
    pub fault: Fault,
    pub times: usize,
}

/// The fault that is planned for a request, used up by one.
pub fn next(planned: &mut Vec<Planned>, method: &str, path: &str) -> Option<Fault> {
    let i = planned.iter().position(|p| p.method == method && path.contains(&p.path))?;
    let fault = planned[i].fault.clone();
    planned[i].times -= 1;
    if planned[i].times == 0 {
        planned.remove(i);
    }
    Some(fault)
}
