//! The `twoway-publish` command.

fn main() {}
