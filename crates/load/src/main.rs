//! The `twoway-load` command.

fn main() {}
