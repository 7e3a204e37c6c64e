//! The embedded forwarder.
