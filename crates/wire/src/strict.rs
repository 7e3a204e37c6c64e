//! Writing what the pickiest peer takes.

use serde::Serializer;

/// Whole numbers are written without a fraction: clients with integer types
/// refuse `0.0`.
pub(crate) fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    /// From here on not every whole number is an `f64` (2^53).
    const END_OF_WHOLE_NUMBERS: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < END_OF_WHOLE_NUMBERS {
        serializer.serialize_i64(*number as i64)
    } else {
        serializer.serialize_f64(*number)
    }
}

/// As [`number`], `null` if there is none.
pub(crate) fn maybe_number<S: Serializer>(
    number: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => self::number(number, serializer),
        None => serializer.serialize_none(),
    }
}
