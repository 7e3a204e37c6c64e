//! The examples of RFC 3711, RFC 7714 and libsrtp.

use super::*;

/// RFC 7714 section 16 and 17.
const SALT_OF_GCM: &str = "517569642070726f2071756f";
const RTP: (&str, &str) = (
    "8040f17b8041f8d35501a0b2",
    "47616c6c696120657374206f6d6e697320646976697361\
     20696e207061727465732074726573",
);

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let digits = digits.map(|pair| std::str::from_utf8(pair).unwrap());
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn gcm(key: &[u8]) -> Cipher {
    let algorithm = if key.len() == 16 {
        &AES_128_GCM
    } else {
        &AES_256_GCM
    };
    Cipher::Gcm {
        key: LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap()),
        salt: hex(SALT_OF_GCM).try_into().unwrap(),
    }
}

fn with_session_key(key: &[u8]) -> Srtp {
    Srtp {
        rtp: gcm(key),
        rtcp: gcm(key),
        rtcp_index: 0,
    }
}

/// Our keys are the `ours`th of two, the other one's being zero.
fn keying(profile: SrtpProfile, key: &str, salt: &str, is_client: bool) -> Keying {
    let (key, salt) = (hex(key), hex(salt));
    let (no_key, no_salt) = (vec![0; key.len()], vec![0; salt.len()]);
    let material = if is_client {
        [key, no_key, salt, no_salt].concat()
    } else {
        [no_key, key, no_salt, salt].concat()
    };
    Keying {
        profile,
        material: material.into(),
        is_client,
    }
}

const MASTER_KEY: &str = "e1f97a0d3e018be0d64fa32c06de4139";
const MASTER_SALT: &str = "0ec675ad498afeebb6960b3aabe6";

/// The RTP packet as it is sealed behind another one, which stays as it was.
fn sealed(srtp: &Srtp, header: &[u8], body: &[u8], index: u64) -> Vec<u8> {
    let mut bytes = vec![0xee; 5];
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(body);
    let ssrc = u32::from_be_bytes(header[8..12].try_into().unwrap());
    let place = (5, header.len());
    srtp.seal_rtp(&mut bytes, place, (ssrc, index)).unwrap();
    assert_eq!(bytes[..5], [0xee; 5]);
    assert_eq!(&bytes[5..5 + header.len()], header);
    bytes.split_off(5 + header.len())
}

#[test]
fn rtp_is_sealed_with_aes_gcm() {
    let key: Vec<u8> = (0..32).collect();
    let table = [
        (
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b\
             36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f\
             1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ];
    for (length, expected) in table {
        let srtp = with_session_key(&key[..length]);
        let (header, body) = (hex(RTP.0), hex(RTP.1));
        assert_eq!(sealed(&srtp, &header, &body, 0xf17b), hex(expected));
        // The rollover counter is part of the nonce.
        assert_ne!(sealed(&srtp, &header, &body, 0x1_f17b), hex(expected));
    }
}

#[test]
fn rtcp_is_sealed_with_aes_gcm() {
    let key: Vec<u8> = (0..16).collect();
    let mut srtp = with_session_key(&key);
    srtp.rtcp_index = 0x5d4;
    let mut bytes = hex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
         deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    );
    srtp.seal_rtcp(&mut bytes, 0).unwrap();
    let expected = "81c8000d4d617273\
        63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda\
        4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
    assert_eq!(bytes, hex(expected));
}

/// libsrtp's own example, which is of a master key.
#[test]
fn packets_are_sealed_with_aes_ctr_and_sha1() {
    for is_client in [true, false] {
        let profile = SrtpProfile::AES128_CM_SHA1_80;
        let keying = keying(profile, MASTER_KEY, MASTER_SALT, is_client);
        let mut srtp = Srtp::new(&keying).unwrap();
        let header = hex("800f1234decafbadcafebabe");
        let got = sealed(&srtp, &header, &[0xab; 16], 0x1234);
        let expected = "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb";
        assert_eq!(got, hex(expected));
        srtp.rtcp_index = 1;
        let mut bytes = hex("81c8000bcafebabe");
        bytes.extend([0xab; 16]);
        srtp.seal_rtcp(&mut bytes, 0).unwrap();
        let expected = "81c8000bcafebabe7128035be487b9bdbef89041f977a5a8\
            80000001993e08cd54d6c1230798";
        assert_eq!(bytes, hex(expected));
    }
}

/// RFC 3711 appendix B.3.
#[test]
fn session_keys_are_derived() {
    let master = Master {
        key: &hex(MASTER_KEY),
        salt: hex(MASTER_SALT).try_into().unwrap(),
        profile: SrtpProfile::AES128_CM_SHA1_80,
    };
    let derived = |label, length| {
        let mut out = vec![1; length];
        master.fill(label, &mut out).unwrap();
        out
    };
    assert_eq!(
        derived(KEY_LABEL, 16),
        hex("c61e7a93744f39ee10734afe3ff7a087")
    );
    assert_eq!(derived(SALT_LABEL, 14), hex("30cbbc08863d8c85d49db34a9ae1"));
    assert_eq!(
        derived(MAC_LABEL, 20),
        hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4")
    );
}

#[test]
fn each_rtcp_packet_has_an_index_of_its_own() {
    let key: Vec<u8> = (0..16).collect();
    let mut srtp = with_session_key(&key);
    let mut indices = Vec::new();
    for _ in 0..3 {
        let mut bytes = vec![0x80, 200, 0, 1, 0, 0, 0, 7];
        srtp.seal_rtcp(&mut bytes, 0).unwrap();
        let (_, word) = bytes.split_last_chunk::<4>().unwrap();
        indices.push(u32::from_be_bytes(*word));
    }
    assert_eq!(indices, [ENCRYPTED, ENCRYPTED + 1, ENCRYPTED + 2]);
    srtp.rtcp_index = ENCRYPTED - 1;
    let seal = |srtp: &mut Srtp| srtp.seal_rtcp(&mut vec![0; 8], 0);
    assert!(seal(&mut srtp).is_ok());
    assert!(seal(&mut srtp).is_err(), "none is left");
}

#[test]
fn material_that_does_not_fit_makes_no_keys() {
    let keying = |material: usize| Keying {
        profile: SrtpProfile::AEAD_AES_128_GCM,
        material: vec![1; material].into(),
        is_client: true,
    };
    assert!(Srtp::new(&keying(56)).is_some());
    assert!(Srtp::new(&keying(31)).is_none());
    assert!(Srtp::new(&keying(40)).is_none());
}
