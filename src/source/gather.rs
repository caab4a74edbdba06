//! Asks every source at once, each with its deadline; failure becomes a fact.
