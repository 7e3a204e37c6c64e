//! What operators run and read: `twoway-server doctor`, the operator's guide, and what
//! is in `packaging/`.

mod doctor;
