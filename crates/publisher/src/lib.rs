//! Native publisher.
