//! The connection doctor: why media does not flow, and what to change.
//!
//! What the browser knows of a peer connection is the [`Evidence`]; [`diagnose`]
//! makes sense of it. Nothing here asks the browser.

use core::fmt::Write;

use session::StreamRole;

use super::candidate::{Candidate, Scope, Transport, scope};

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// ICE found no way to the other side.
    Searching,
    /// ICE did, but DTLS did not finish.
    Securing,
    /// Media can flow.
    Connected,
    /// It could, and the way was lost.
    Lost,
}

/// How the checks of a pair went (RFC 8445, section 6.1.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairState {
    /// Not tried yet.
    Waiting,
    /// Being tried.
    Trying,
    /// It does not work.
    Failed,
    /// It works.
    Succeeded,
}

/// A local and a remote candidate, tried together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// From here.
    pub local: Candidate,
    /// To there.
    pub remote: Candidate,
    /// How it went.
    pub state: PairState,
    /// Checks sent.
    pub requests: u64,
    /// Answers to them.
    pub responses: u64,
}

/// What was sent or received so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Media {
    /// RTP packets, of sound and picture.
    pub packets: u64,
    /// Those of the picture.
    pub video_packets: u64,
    /// Frames decoded or encoded.
    pub frames: u64,
    /// The picture's codec, such as `video/H264`.
    pub codec: Option<String>,
}

/// What is known of a peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Publisher or player.
    pub role: StreamRole,
    /// How far it came.
    pub progress: Progress,
    /// The browser's own candidates.
    pub local: Vec<Candidate>,
    /// Those in the server's answer.
    pub remote: Vec<Candidate>,
    /// What was tried.
    pub pairs: Vec<Pair>,
    /// What went through.
    pub media: Media,
}

/// Why media does not flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// In one sentence.
    pub headline: String,
    /// What points to it.
    pub findings: Vec<String>,
    /// What to change, the likeliest first.
    pub advice: Vec<&'static str>,
    /// What it was drawn from.
    pub evidence: Evidence,
}

/// What is wrong with each half.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnoses {
    /// The publishing half.
    pub publish: Option<Diagnosis>,
    /// The playing half.
    pub play: Option<Diagnosis>,
}

impl Diagnoses {
    /// Takes what is wrong with a half, or that nothing is.
    pub fn set(&mut self, role: StreamRole, diagnosis: Option<Diagnosis>) {
        match role {
            StreamRole::Publisher => self.publish = diagnosis,
            StreamRole::Player => self.play = diagnosis,
        }
    }
}

/// Makes sense of the evidence. `server` is the address the user connected to.
/// `None` if media flows.
pub fn diagnose(evidence: &Evidence, server: &str) -> Option<Diagnosis> {
    let mut case = match evidence.progress {
        Progress::Searching => no_way(evidence, server),
        Progress::Securing => not_secured(),
        Progress::Lost => lost(),
        Progress::Connected => no_media(evidence)?,
    };
    case.findings.extend(tried(evidence));
    Some(Diagnosis {
        headline: case.headline,
        findings: case.findings,
        advice: case.advice,
        evidence: evidence.clone(),
    })
}

/// A row of the doctor's book.
struct Case {
    headline: String,
    findings: Vec<String>,
    advice: Vec<&'static str>,
}

impl Case {
    fn new(headline: impl Into<String>, advice: &[&'static str]) -> Self {
        Self {
            headline: headline.into(),
            findings: Vec::new(),
            advice: advice.to_vec(),
        }
    }

    fn finding(mut self, finding: impl Into<String>) -> Self {
        self.findings.push(finding.into());
        self
    }
}

const PUBLIC_ADDRESS: &str = "Start the server with --public-address and the address at which \
    this page reaches it.";
const OPEN_PORTS: &str = "Open the server's media ports for UDP in its firewall and in front of \
    it (security group, router, container port mapping); --media-port names the first.";
const OTHER_NETWORK: &str = "Try another network, such as a phone's: many company and guest \
    networks block UDP. There the server needs ICE over TCP, or a TURN server beside it.";
const BROWSER_POLICY: &str = "Look for what keeps WebRTC from the network: a privacy extension, \
    a company policy, a VPN that is switched off halfway. A fresh profile tells.";
const PROXY: &str = "If something rewrites signalling between page and server, such as a gateway \
    or a load balancer, see that it passes the answer's candidates on.";

/// ICE found no way.
fn no_way(evidence: &Evidence, server: &str) -> Case {
    let (local, remote) = (&evidence.local, &evidence.remote);
    if remote.is_empty() {
        return Case::new(
            "The server's answer names no address to send media to",
            &[
                "See in the server's log whether it could open its media port.",
                PROXY,
            ],
        );
    }
    if local.is_empty() && evidence.pairs.is_empty() {
        return Case::new(
            "The browser offers no network address of its own",
            &[BROWSER_POLICY],
        );
    }
    if let Some(case) = out_of_reach(remote, host(server)) {
        return case;
    }
    if let Some(case) = other_family(local, remote) {
        return case;
    }
    unanswered(evidence)
}

/// Addresses that cannot be reached from where the server itself is reached.
fn out_of_reach(remote: &[Candidate], server: &str) -> Option<Case> {
    let all = |scopes: &[Scope]| remote.iter().all(|it| scopes.contains(&it.scope()));
    let server = scope(server);
    let local = server == Scope::Loopback;
    let outside = matches!(server, Scope::Public | Scope::Named);
    if all(&[Scope::Loopback]) && !local {
        let headline = "The server offers only its own loopback address, which no other machine \
            can reach";
        return Some(Case::new(headline, &[PUBLIC_ADDRESS]));
    }
    if all(&[Scope::Container, Scope::Loopback, Scope::Link]) && !local {
        let headline = "The server offers only an address inside its container network";
        return Some(Case::new(headline, &[PUBLIC_ADDRESS, OPEN_PORTS]));
    }
    let inside = [
        Scope::Private,
        Scope::Container,
        Scope::Link,
        Scope::Loopback,
    ];
    if all(&inside) && outside {
        let headline = "The server offers only addresses of its private network";
        let case = Case::new(headline, &[PUBLIC_ADDRESS, OPEN_PORTS]);
        return Some(case.finding(
            "Unless this browser is in that network too, they cannot be reached from here.",
        ));
    }
    if all(&[Scope::Named]) {
        let headline = "The server offers names instead of addresses";
        let advice = "Names ending in .local are known in one network only: let the server \
            offer its IP address.";
        return Some(Case::new(headline, &[advice]));
    }
    None
}

/// One side has only IPv4, the other only IPv6.
fn other_family(local: &[Candidate], remote: &[Candidate]) -> Option<Case> {
    let family = |candidates: &[Candidate]| {
        let mut numeric = candidates.iter().filter(|it| it.scope() != Scope::Named);
        let first = numeric.next()?.address.contains(':');
        // A hidden address may be of either.
        let same = numeric.all(|it| it.address.contains(':') == first)
            && candidates.iter().all(|it| it.scope() != Scope::Named);
        same.then_some(if first { "IPv6" } else { "IPv4" })
    };
    let (own, other) = (family(local)?, family(remote)?);
    (own != other).then(|| {
        let headline = format!("The browser has only {own}, the server offers only {other}");
        let advice = "Let the server offer an address of each family: --public-address may be \
            given several times.";
        Case::new(headline, &[advice, OTHER_NETWORK])
    })
}

/// There were addresses to try, and none worked.
fn unanswered(evidence: &Evidence) -> Case {
    let sum = |count: fn(&Pair) -> u64| evidence.pairs.iter().map(count).sum::<u64>();
    let (requests, responses) = (sum(|pair| pair.requests), sum(|pair| pair.responses));
    if responses > 0 {
        let advice = "If several servers stand behind one address, see that signalling and \
            media reach the same one.";
        let headline = "The server answered some checks, but no connection came of it";
        return Case::new(headline, &[advice, OPEN_PORTS]);
    }
    if requests == 0 {
        let headline = "The browser could try none of the server's addresses";
        return Case::new(headline, &[BROWSER_POLICY, OTHER_NETWORK]);
    }
    let case = Case::new(
        "Nothing came back from any of the server's addresses",
        &[OPEN_PORTS, PUBLIC_ADDRESS, OTHER_NETWORK],
    );
    let tcp = evidence
        .remote
        .iter()
        .any(|it| it.transport == Transport::Tcp);
    case.finding(if tcp {
        "Neither UDP nor TCP gets through."
    } else {
        "The server offers UDP only: where that is blocked, there is no other way."
    })
}

fn not_secured() -> Case {
    Case::new(
        "Packets get through, but the encrypted connection (DTLS) does not come about",
        &[
            "See that no middlebox or VPN drops large UDP packets: DTLS certificates need them.",
            "If several servers stand behind one address, see that signalling and media reach \
             the same one: the certificate must be the one in the answer.",
            "Restart the server if its clock was set while it ran.",
        ],
    )
}

fn lost() -> Case {
    Case::new(
        "Media flowed until the way to the server was lost",
        &[
            "See whether the network of this machine changed, slept or dropped out, or whether \
             the server went away.",
            "If it happens after the same time again and again, a router forgets idle UDP \
             mappings or a firewall ends long connections.",
        ],
    )
}

/// Connected, and still no picture; `None` if there is one.
fn no_media(evidence: &Evidence) -> Option<Case> {
    let media = &evidence.media;
    match evidence.role {
        StreamRole::Publisher if media.packets == 0 => Some(Case::new(
            "The connection stands, but the browser sends nothing",
            &[
                "See in the preview whether the camera gives a picture, and that it is not \
                 switched off by a key or a cover.",
                "Stop and publish again; choose another camera if there is one.",
            ],
        )),
        StreamRole::Player if media.packets == 0 => Some(Case::new(
            "The connection stands, but no packet of the stream comes",
            &[
                "See at the publisher whether it still sends, and play it there.",
                OPEN_PORTS,
            ],
        )),
        StreamRole::Player if media.video_packets > 0 && media.frames == 0 => {
            Some(undecoded(media))
        }
        StreamRole::Publisher | StreamRole::Player => None,
    }
}

fn undecoded(media: &Media) -> Case {
    let codec = media.codec.as_deref().unwrap_or("an unknown codec");
    Case::new(
        "Video packets come, but not one picture could be decoded",
        &[
            "Let the publisher send a keyframe: until there is one, nothing can be shown.",
            "See that this browser decodes the codec: H.264 in its constrained baseline profile \
             and VP8 play everywhere.",
            "Much loss on the way keeps whole frames from coming together: try a lower bitrate.",
        ],
    )
    .finding(format!("{} packets of {codec} came.", media.video_packets))
}

/// What each side offered and what was tried, in a sentence each.
fn tried(evidence: &Evidence) -> Vec<String> {
    let count = |candidates: &[Candidate]| match candidates.len() {
        0 => "no address".to_owned(),
        1 => "1 address".to_owned(),
        many => format!("{many} addresses"),
    };
    let pairs = match evidence.pairs.len() {
        1 => "1 pair was".to_owned(),
        many => format!("{many} pairs were"),
    };
    let worked = evidence
        .pairs
        .iter()
        .filter(|pair| pair.state == PairState::Succeeded)
        .count();
    vec![format!(
        "The browser offered {}, the server {}; {pairs} tried, {worked} worked.",
        count(&evidence.local),
        count(&evidence.remote),
    )]
}

/// The host in the address of a server, without port.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match rest.rsplit_once(':') {
        // The colon of an IPv6 address is not that of a port.
        Some((host, _)) if !rest.ends_with(']') => host,
        Some(_) | None => rest,
    }
}

impl PairState {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Waiting => "not tried",
            Self::Trying => "trying",
            Self::Failed => "failed",
            Self::Succeeded => "works",
        }
    }
}

impl Diagnosis {
    /// All of it as text, for a bug report.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.headline);
        let mut list = |title: &str, lines: &mut dyn Iterator<Item = String>| {
            let _infallible = writeln!(text, "\n{title}");
            for line in lines {
                let _infallible = writeln!(text, "- {line}");
            }
        };
        let candidate = |it: &Candidate| {
            format!(
                "{} {} {}",
                it.kind.text(),
                it.transport.text(),
                it.endpoint()
            )
        };
        let evidence = &self.evidence;
        list("Findings", &mut self.findings.iter().cloned());
        list("What to do", &mut self.advice.iter().map(|&it| it.into()));
        list("Browser", &mut evidence.local.iter().map(candidate));
        list("Server", &mut evidence.remote.iter().map(candidate));
        let pair = |it: &Pair| {
            let (local, remote) = (it.local.endpoint(), it.remote.endpoint());
            let (state, requests, responses) = (it.state.text(), it.requests, it.responses);
            format!("{local} to {remote}: {state}, {requests} checks, {responses} answers")
        };
        list("Tried", &mut evidence.pairs.iter().map(pair));
        text
    }
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
