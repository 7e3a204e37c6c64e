use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn keys_are_derived_as_in_rfc_3711_appendix_b_3() {
    let (key, salt) = (
        bytes("E1F97A0D3E018BE0D64FA32C06DE4139"),
        bytes("0EC675AD498AFEEBB6960B3AABE6"),
    );
    let master = Master {
        profile: SrtpProfile::AES128_CM_SHA1_80,
        key: &key,
        salt: &salt,
    };
    let derived = |label, length| {
        let mut out = vec![0xff; length];
        master.derive(label, &mut out).unwrap();
        out
    };
    assert_eq!(
        derived(ENCRYPTION, 16),
        bytes("C61E7A93744F39EE10734AFE3FF7A087")
    );
    assert_eq!(derived(SALT, 14), bytes("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        derived(AUTHENTICATION, 20),
        bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
    );
}

fn keys(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Keys {
    let mut keys = Master { profile, key, salt }.keys(0).unwrap();
    keys.salt[..salt.len()].copy_from_slice(salt);
    keys.counter = counter(key).unwrap();
    keys.authentication = Authentication::Gcm(LessSafeKey::new(
        UnboundKey::new(&aead::AES_128_GCM, key).unwrap(),
    ));
    keys
}

#[test]
fn packets_are_opened_as_in_rfc_7714_section_16_1() {
    let key = bytes("000102030405060708090a0b0c0d0e0f");
    let salt = bytes("517569642070726f2071756f");
    let packet = bytes(
        "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
         0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce",
    );
    let session = || keys(SrtpProfile::AEAD_AES_128_GCM, &key, &salt);
    let mut inbound = Inbound {
        rtp: session(),
        rtcp: session(),
        buffer: Vec::new(),
    };
    let header = Header::parse(&packet, None).unwrap();
    let index = u64::from(header.sequence);
    let text = b"Gallia est omnis divisa in partes tres";
    let mut start = [0; 20];
    assert_eq!(inbound.payload_bytes(&header, &packet), text.len());
    let peeked = inbound.peek(&header, index, &packet, &mut start);
    assert_eq!(peeked.unwrap(), &text[..20]);
    let mut all = [0; 100];
    let peeked = inbound.peek(&header, index, &packet, &mut all);
    assert_eq!(peeked.unwrap(), text);
    assert_eq!(inbound.open(&header, index, &packet).unwrap(), text);
    assert_eq!(inbound.open(&header, index + 1, &packet), None);
}

const PROFILES: [(SrtpProfile, usize); 3] = [
    (SrtpProfile::AES128_CM_SHA1_80, 60),
    (SrtpProfile::AEAD_AES_128_GCM, 56),
    (SrtpProfile::AEAD_AES_256_GCM, 88),
];

/// Both ends of a connection: the client's outbound goes with the server's inbound.
fn ends(profile: SrtpProfile, length: usize) -> [(Inbound, Outbound); 2] {
    [true, false].map(|is_client| {
        let material = (0..length as u8).collect();
        let keying = Keying {
            profile,
            material,
            is_client,
        };
        contexts(&keying).unwrap()
    })
}

#[test]
fn rtcp_goes_from_end_to_end() {
    let packet = b"\x80\xc9\0\x01\0\0\0\x01and what it says";
    for (profile, length) in PROFILES {
        let [(_, mut sender), (mut receiver, _)] = ends(profile, length);
        let first = sender.seal_rtcp(packet).unwrap();
        let second = sender.seal_rtcp(packet).unwrap();
        assert_ne!(first, second, "{profile}: no counter is used twice");
        for sealed in [first, second] {
            assert_eq!(receiver.open_rtcp(&sealed).unwrap(), packet, "{profile}");
            for at in 0..sealed.len() {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1;
                assert_eq!(receiver.open_rtcp(&damaged), None, "{profile}, byte {at}");
                assert_eq!(receiver.open_rtcp(&sealed[..at]), None, "{profile}, {at}");
            }
        }
    }
}

/// A packet as the other end sends it.
fn sealed(keys: &Keys, clear: &[u8], payload: &[u8], index: u64) -> Vec<u8> {
    let ssrc = u32::from_be_bytes(clear[8..12].try_into().unwrap());
    let mut packet = clear.to_vec();
    let mut body = payload.to_vec();
    match &keys.authentication {
        Authentication::Gcm(key) => {
            let nonce = Nonce::assume_unique_for_key(keys.nonce(ssrc, index));
            key.seal_in_place_append_tag(nonce, Aad::from(clear), &mut body)
                .unwrap();
            packet.extend(body);
        }
        Authentication::Sha1(key) => {
            apply(&keys.counter, keys.iv(ssrc, index), &mut body).unwrap();
            packet.extend(body);
            let roll_overs = ((index >> 16) as u32).to_be_bytes();
            let tag = hmac::sign(key, &[&packet[..], &roll_overs].concat());
            packet.extend(&tag.as_ref()[..SHORT_TAG]);
        }
    }
    packet
}

#[test]
fn a_look_at_the_start_is_what_opening_gives() {
    let payload: Vec<_> = (0..200).collect();
    let clear = bytes("806c0002 00000000 01020304");
    for (profile, length) in PROFILES {
        let [_, (mut inbound, _)] = ends(profile, length);
        let index = 3 << 16 | 2;
        let packet = sealed(&inbound.rtp, &clear, &payload, index);
        let header = Header::parse(&packet, None).unwrap();
        assert_eq!(inbound.payload_bytes(&header, &packet), payload.len());
        let mut start = [0; 50];
        let peeked = inbound.peek(&header, index, &packet, &mut start);
        assert_eq!(peeked.unwrap(), &payload[..50], "{profile}");
        assert_eq!(inbound.open(&header, index, &packet).unwrap(), payload);
        let mut damaged = packet.clone();
        damaged[100] ^= 1;
        assert_eq!(inbound.open(&header, index, &damaged), None, "{profile}");
        assert_eq!(inbound.open(&header, 2, &packet), None, "{profile}");
    }
}
