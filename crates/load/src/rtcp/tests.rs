use super::*;

#[test]
fn a_receiver_report_has_its_blocks() {
    let mut packet = Vec::new();
    let block = Block {
        ssrc: 0x0102_0304,
        fraction_lost: 51,
        lost: 7,
        highest: 0x1_0002,
        jitter: 9,
        last_report: 0xaabb_ccdd,
        delay: 65_536,
    };
    receiver_report(&mut packet, &[block]);
    let wanted = [
        [0x81, 201, 0, 7],
        [0, 0, 0, 1],
        [1, 2, 3, 4],
        [51, 0, 0, 7],
        [0, 1, 0, 2],
        [0, 0, 0, 9],
        [0xaa, 0xbb, 0xcc, 0xdd],
        [0, 1, 0, 0],
    ];
    assert_eq!(packet, wanted.concat());
}

#[test]
fn numbers_that_are_missing_share_masks() {
    let mut packet = Vec::new();
    nack(&mut packet, 9, &[65_535, 0, 15, 16, 40]);
    let wanted = [
        [0x81, 205, 0, 5],
        [0, 0, 0, 1],
        [0, 0, 0, 9],
        // 0 and 15 after 65,535, then 16 with none, which is 17 after it.
        [0xff, 0xff, 0x80, 0x01],
        [0, 16, 0, 0],
        [0, 40, 0, 0],
    ];
    assert_eq!(packet, wanted.concat());
}

#[test]
fn a_keyframe_is_asked_for() {
    let mut packet = Vec::new();
    picture_loss(&mut packet, 9);
    assert_eq!(packet, [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]);
}

#[test]
fn transport_wide_feedback_tells_when_each_came() {
    let origin = Instant::now();
    let at = |us| origin + Duration::from_micros(us);
    let mut packet = Vec::new();
    let packets = [
        (0x1_fffe, at(64_250)),
        (0x1_ffff, at(64_000)),
        (0x2_0001, at(164_000)),
        (0x2_0007, at(164_250)),
    ];
    transport_wide(&mut packet, 9, 3, &packets, origin);
    let wanted = [
        [0xaf, 205, 0, 7],
        [0, 0, 0, 1],
        [0, 0, 0, 9],
        // From 0xfffe, ten packets.
        [0xff, 0xfe, 0, 10],
        // At 64 ms, the fourth report.
        [0, 0, 1, 3],
        // Small, large (backwards), none, large, three times none; twice none, small.
        [0xd8, 0x80, 0xc1, 0],
        // 250 us on, 250 back, 100 ms on, 250 us on.
        [1, 0xff, 0xff, 1],
        [0x90, 1, 0, 2],
    ];
    assert_eq!(packet, wanted.concat());
}

#[test]
fn sender_reports_are_found_in_a_compound_packet() {
    let mut packet = vec![0x80, 200, 0, 6, 0, 0, 0, 9];
    packet.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    packet.extend([0; 12]);
    let whole = [&packet[..], &[0x81, 202, 0, 1, 0, 0, 0, 9]].concat();
    assert_eq!(sender_reports(&whole), [(9, 0x0304_0506)]);
    assert_eq!(
        sender_reports(&[&whole[28..], &packet].concat()),
        [(9, 0x0304_0506)]
    );
    assert_eq!(sender_reports(&packet[..20]), []);
    assert_eq!(sender_reports(&[]), []);
}
