//! All that can happen, as one enum; dispatch, nothing else.
