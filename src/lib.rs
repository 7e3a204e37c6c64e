//! The Two-way Streaming page.
