//! The `twoway-server` command.

fn main() {}
