//! Where people are: the console, Slack, Discord, behind one trait.
