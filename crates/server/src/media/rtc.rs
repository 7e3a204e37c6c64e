//! str0m as a peer of ours has it set up.

use std::num::NonZeroU32;
use std::time::Duration;

use str0m::bwe::Bitrate;
use str0m::media::{Frequency, Pt};
use str0m::{Rtc, RtcConfig, RtcError};
use tracing::debug;

use super::choice::START_BPS;
use super::link::{MediaWay, Settings};
use super::sdp::{Offer, Selection};
use crate::core::backend::EndReason;

/// How often RTCP reports go out, of audio as of video: until both have come, a
/// viewer knows neither how to keep them together nor how old they are.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How often str0m says what it has measured where nobody is told the rates:
/// the round trip is of use all the same.
const STATS_INTERVAL: Duration = Duration::from_secs(10);

/// str0m's answer to a reduced offer.
pub(super) fn accept(rtc: &mut Rtc, offer: &str) -> Result<String, RtcError> {
    let offer = str0m::change::SdpOffer::from_sdp_string(offer)
        .map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
    Ok(rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
}

/// An ICE-lite peer that takes the codecs and header extensions of `taken`,
/// with the client's numbers.
pub(super) fn rtc_config(
    offer: &Offer,
    taken: &Selection,
    settings: &Settings,
    media: MediaWay,
) -> RtcConfig {
    let stats_interval = match media {
        // It measures nothing of what it does not send.
        MediaWay::Own => None,
        MediaWay::Str0m if settings.config.tells_rates() => Some(settings.config.rate_interval),
        MediaWay::Str0m => Some(STATS_INTERVAL),
    };
    let mut config = RtcConfig::new()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_dtls_cert(settings.certificate.clone())
        .set_stats_interval(stats_interval)
        .enable_raw_packets(media == MediaWay::Own)
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .set_rtcp_report_interval_video(REPORT_INTERVAL)
        .clear_codecs()
        .clear_extension_map();
    if taken.has_transport_feedback() {
        config = config.enable_bwe(Some(Bitrate::bps(START_BPS)));
    }
    for (id, extension) in offer.extensions(taken) {
        config = config.set_extension(id, extension);
    }
    for codec in taken.codecs() {
        config.codec_config().add_config(
            codec.pt.into(),
            codec.rtx.map(Pt::from),
            codec.codec.to_str0m(),
            frequency(codec.codec.clock_rate()),
            codec.codec.channels(),
            codec.format,
        );
    }
    config
}

fn frequency(ticks_per_second: u32) -> Frequency {
    NonZeroU32::new(ticks_per_second).map_or(Frequency::NINETY_KHZ, Frequency::from_nonzero)
}

/// What an error of a link means to the client. Once an offer is taken, str0m
/// calls only a fingerprint that does not match an error of the remote SDP.
pub(super) fn reason_of(error: &RtcError) -> EndReason {
    debug!(%error, "link failed");
    if matches!(error, RtcError::RemoteSdp(_)) {
        EndReason::DtlsFingerprint
    } else if matches!(error, RtcError::Dtls(_)) {
        EndReason::Dtls
    } else {
        EndReason::Internal
    }
}
