//! Randomness from the browser's cryptographic generator.

use super::Thrown;

/// 128 random bits.
///
/// # Errors
/// The browser has no `crypto` object or refuses.
pub fn bits() -> Result<u128, Thrown> {
    let crypto = web_sys::window()
        .ok_or_else(no_crypto)?
        .crypto()
        .map_err(|_| no_crypto())?;
    let mut bytes = [0; 16];
    crypto.get_random_values_with_u8_array(&mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}

/// A number from 0 to below 1, good enough to spread retries.
pub fn fraction() -> f64 {
    js_sys::Math::random()
}

fn no_crypto() -> Thrown {
    Thrown {
        name: "NotSupportedError".to_owned(),
        message: "the browser has no random numbers".to_owned(),
    }
}
