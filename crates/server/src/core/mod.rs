//! Sans-IO registry and signalling.

pub mod backend;
