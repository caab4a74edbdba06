//! Stories about time: a pretend team in settings and facts, asked about moments and windows.

mod daylight;
mod laws;
mod moments;
mod people;
mod suggestions;
mod world;
