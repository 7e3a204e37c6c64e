//! str0m's answer, completed for the client.

use super::SOUND_LAG;
use super::offer::{Offer, Section};
use super::select::Selection;
use super::simulcast::OfferedLayer;

/// What a session part says of the m-lines that share a transport.
const BUNDLE: &str = "a=group:BUNDLE";

/// The answer to `offer` from what str0m answered to its reduced form. `stream`
/// is the MediaStream id of all tracks.
pub(crate) fn complete_answer(
    offer: &Offer,
    taken: &Selection,
    answer: &str,
    stream: &str,
) -> String {
    let mut blocks = media_blocks(answer);
    let kept = kept(offer, taken);
    let mut complete = String::with_capacity(answer.len() + 256);
    for line in blocks.remove(0) {
        match line.split_at_checked(2) {
            Some(("o=", origin)) => {
                let rest = origin.split_once(' ').map_or("", |(_, rest)| rest);
                push(&mut complete, &format!("o=- {rest}"));
            }
            Some(_) | None if line.starts_with("a=msid-semantic") => {}
            Some(_) | None if line.starts_with(BUNDLE) => {
                let mids = &line[BUNDLE.len()..];
                let kept = kept.map_or_else(String::new, |section| format!(" {}", section.mid));
                push(&mut complete, &format!("{BUNDLE}{kept}{mids}"));
            }
            Some(_) | None => push(&mut complete, line),
        }
    }
    if let (Some(section), Some(block)) = (kept, blocks.first()) {
        push_kept(&mut complete, section, block);
    }
    let mut blocks = blocks.into_iter();
    let mut first = kept.is_none();
    let done = usize::from(kept.is_some());
    for (index, section) in offer.sections.iter().enumerate().skip(done) {
        if let Some(section) = taken.sections.iter().find(|t| t.index == index) {
            let sends = taken.sections.iter().any(|t| t.direction == "recvonly");
            let mut block = blocks.next().unwrap_or_default();
            let told = told_lines(&block, &section.told);
            let rids = rid_lines(&block, &section.layers);
            let protocol = &offer.sections[index].protocol;
            let media = media_line(&block, protocol).map(|line| (0, line));
            for (line, told) in told.iter().chain(&rids).chain(&media) {
                block[*line] = told;
            }
            push_media(&mut complete, &block, stream, sends, first);
            let lag = taken.sound_lag(section.kind).as_millis();
            if lag > 0 {
                push(&mut complete, &format!("a={SOUND_LAG}:{lag}"));
            }
            first = false;
        } else {
            push_refusal(&mut complete, section);
        }
    }
    complete
}

/// What of str0m's answer goes to a client that restarted ICE: its part of an SDP
/// (RFC 8840 section 9, RFC 9725 section 4.3.3).
pub(crate) fn restart_answer(answer: &str) -> String {
    const SESSION: &[&str] = &["a=ice-lite", "a=group:"];
    const MEDIA: &[&str] = &["m=", "a=mid:", "a=ice-", "a=candidate:"];
    let blocks = media_blocks(answer);
    let mut fragment = String::new();
    // The rest of the bundle has the transport of the first m-line.
    for (block, wanted) in blocks.iter().take(2).zip([SESSION, MEDIA]) {
        for line in block {
            if wanted.iter().any(|start| line.starts_with(start)) {
                push(&mut fragment, line);
            }
        }
    }
    push(&mut fragment, "a=end-of-candidates");
    fragment
}

/// Lines of the session part, then of each m-line's.
fn media_blocks(sdp: &str) -> Vec<Vec<&str>> {
    let mut blocks = vec![Vec::new()];
    for line in sdp.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            blocks.push(Vec::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push(line);
        }
    }
    blocks
}

fn push(sdp: &mut String, line: &str) {
    sdp.push_str(line);
    sdp.push_str("\r\n");
}

/// The m-line with the protocol that was offered, spelled alike (RFC 8829 section
/// 5.3.1): old clients say `RTP/SAVPF` for what is the same.
fn media_line(block: &[&str], protocol: &str) -> Option<String> {
    let mut words = block.first()?.splitn(4, ' ');
    let (media, port) = (words.next()?, words.next()?);
    let formats = words.nth(1)?;
    Some(format!("{media} {port} {protocol} {formats}"))
}

/// An m-line that is taken. Candidates stand in the first; the rest of the
/// bundle shares them.
fn push_media(sdp: &mut String, block: &[&str], stream: &str, sends: bool, first: bool) {
    for line in block {
        match msid_parts(line) {
            Some((before, track)) if sends => {
                push(sdp, &format!("{before}{stream} {track}"));
            }
            Some(_) => {}
            None => push(sdp, line),
        }
    }
    if first {
        push(sdp, "a=end-of-candidates");
    }
}

/// The `a=fmtp` lines that say another `profile-level-id`, by their places.
fn told_lines(block: &[&str], told: &[(u8, u32)]) -> Vec<(usize, String)> {
    let told_line = |(place, line): (usize, &&str)| {
        let (pt, parameters) = line.strip_prefix("a=fmtp:")?.split_once(' ')?;
        let (_, id) = told.iter().find(|(of, _)| pt.parse() == Ok(*of))?;
        let parameters = parameters.split(';').map(|parameter| {
            if parameter.trim().starts_with("profile-level-id=") {
                format!("profile-level-id={id:06x}")
            } else {
                parameter.to_owned()
            }
        });
        let parameters: Vec<_> = parameters.collect();
        Some((place, format!("a=fmtp:{pt} {}", parameters.join(";"))))
    };
    block.iter().enumerate().filter_map(told_line).collect()
}

/// The `a=rid` lines with the restrictions that were offered, which str0m does not
/// know of (RFC 8851 section 6.3), by their places.
fn rid_lines(block: &[&str], layers: &[OfferedLayer]) -> Vec<(usize, String)> {
    let rid_line = |(place, line): (usize, &&str)| {
        let rid = line.strip_prefix("a=rid:")?.split(' ').next()?;
        let layer = layers.iter().find(|layer| layer.is(rid))?;
        Some((place, layer.line("recv")))
    };
    block.iter().enumerate().filter_map(rid_line).collect()
}

/// What comes before the stream's id, and the track's, in `a=msid:<stream>
/// <track>` and `a=ssrc:<ssrc> msid:<stream> <track>`.
fn msid_parts(line: &str) -> Option<(&str, &str)> {
    let is_msid = line.starts_with("a=msid:") || line.starts_with("a=ssrc:");
    let at = line.find("msid:").filter(|_| is_msid)? + "msid:".len();
    let (before, ids) = line.split_at(at);
    Some((before, ids.split_once(' ')?.1))
}

/// The first m-line of a player's offer, if nothing comes on it. It is not
/// refused: Chromium, which bundles all media from the start, takes the
/// transport of the others away with it, and then the whole answer for wrong.
fn kept<'a>(offer: &'a Offer, taken: &Selection) -> Option<&'a Section> {
    let plays = taken.sections.iter().any(|t| t.direction == "recvonly");
    let first = offer.sections.first()?;
    let is_taken = taken.sections.iter().any(|t| t.index == 0);
    (plays && !is_taken && !first.codecs.is_empty()).then_some(first)
}

/// An m-line on which nothing comes, with the transport that `block` has.
fn push_kept(sdp: &mut String, section: &Section, block: &[&str]) {
    const TRANSPORT: &[&str] = &["a=ice-", "a=fingerprint:", "a=setup:", "a=candidate:"];
    let Some(codec) = section.codecs.first() else {
        return;
    };
    let formats: Vec<_> = [Some(codec.pt), codec.rtx].into_iter().flatten().collect();
    let formats: Vec<_> = formats.iter().map(ToString::to_string).collect();
    let (media, protocol) = (&section.media, &section.protocol);
    push(
        sdp,
        &format!("m={media} 9 {protocol} {}", formats.join(" ")),
    );
    push(sdp, "c=IN IP4 0.0.0.0");
    push(sdp, &format!("a=mid:{}", section.mid));
    let is_transport = |line: &&&str| TRANSPORT.iter().any(|start| line.starts_with(start));
    for line in block.iter().filter(is_transport) {
        push(sdp, line);
    }
    push(sdp, "a=inactive");
    push(sdp, "a=rtcp-mux");
    codec.write(&mut |line| push(sdp, &line.to_string()));
    push(sdp, "a=end-of-candidates");
}

/// An m-line that is refused, RFC 8829 section 5.3.1.
fn push_refusal(sdp: &mut String, section: &Section) {
    let format = section.formats.first().map_or("0", String::as_str);
    push(
        sdp,
        &format!("m={} 0 {} {format}", section.media, section.protocol),
    );
    push(sdp, "c=IN IP4 0.0.0.0");
    push(sdp, &format!("a=mid:{}", section.mid));
    push(sdp, "a=inactive");
}
