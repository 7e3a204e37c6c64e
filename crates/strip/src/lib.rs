//! The machine-readable strip of the test picture: capture time and frame
//! number as black and white cells.
