//! The samples: [`PLAYABLE`] and [`UNPLAYABLE`].

use crate::{Content, Sample};

/// H.264 as browsers play it from a live stream: without B-frames. A keyframe each
/// second.
const X264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 0 -g 30 -sc_threshold 0";

/// The same with B-frames.
const X264_B: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 2 \
    -b_strategy 0 -g 30 -sc_threshold 0";

/// The same of ten bits.
const X264_10_BIT: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p10le \
    -bf 0 -g 30 -sc_threshold 0";

/// HEVC, without a word.
const X265: &str = "-c:v libx265 -preset ultrafast -x265-params log-level=none";

/// Fast, with a keyframe each second, as are the next two.
const VP8: &str = "-c:v libvpx -deadline realtime -cpu-used 8 -g 30 -b:v 400k";

/// See [`VP8`].
const VP9: &str = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -b:v 400k";

/// See [`VP8`].
const AV1: &str = "-c:v libsvtav1 -preset 12 -g 30 -crf 40";

/// MP4 as streams are stored.
const FRAGMENTS: &str = "-movflags +frag_keyframe+empty_moov+default_base_moof";

/// MP4 with the index in front.
const FAST_START: &str = "-movflags +faststart";

/// ffmpeg once took it for an experiment.
const OPUS_IN_MP4: &str = "-c:a libopus -strict -2";

/// For any container.
const AAC: &str = "-c:a aac";

/// For any container but MP4.
const OPUS: &str = "-c:a libopus";

/// The index is at the end, as ffmpeg has it by default.
pub const H264_AAC_MP4: Sample = Sample {
    name: "h264-aac.mp4",
    content: Content::Both,
    options: &[X264, AAC],
};

/// The index is in front.
pub const H264_AAC_FAST_MP4: Sample = Sample {
    name: "h264-aac-fast.mp4",
    content: Content::Both,
    options: &[X264, AAC, FAST_START],
};

/// In fragments, as streams are stored.
pub const H264_AAC_FRAGMENTED_MP4: Sample = Sample {
    name: "h264-aac-fragmented.mp4",
    content: Content::Both,
    options: &[X264, AAC, FRAGMENTS],
};

/// What its name says.
pub const H264_OPUS_MP4: Sample = Sample {
    name: "h264-opus.mp4",
    content: Content::Both,
    options: &[X264, OPUS_IN_MP4],
};

/// QuickTime, with uncompressed sound.
pub const H264_PCM_MOV: Sample = Sample {
    name: "h264-pcm.mov",
    content: Content::Both,
    options: &[X264, "-c:a pcm_s16le"],
};

/// QuickTime, with lossless sound.
pub const H264_ALAC_MOV: Sample = Sample {
    name: "h264-alac.mov",
    content: Content::Both,
    options: &[X264, "-c:a alac"],
};

/// What its name says.
pub const H264_MP3_MKV: Sample = Sample {
    name: "h264-mp3.mkv",
    content: Content::Both,
    options: &[X264, "-c:a libmp3lame"],
};

/// What its name says.
pub const H264_FLAC_MKV: Sample = Sample {
    name: "h264-flac.mkv",
    content: Content::Both,
    options: &[X264, "-c:a flac"],
};

/// What its name says.
pub const VP8_VORBIS_WEBM: Sample = Sample {
    name: "vp8-vorbis.webm",
    content: Content::Both,
    options: &[VP8, "-c:a libvorbis"],
};

/// What its name says.
pub const VP8_OPUS_WEBM: Sample = Sample {
    name: "vp8-opus.webm",
    content: Content::Both,
    options: &[VP8, OPUS],
};

/// What its name says.
pub const VP9_OPUS_WEBM: Sample = Sample {
    name: "vp9-opus.webm",
    content: Content::Both,
    options: &[VP9, OPUS],
};

/// What its name says.
pub const VP9_AAC_MP4: Sample = Sample {
    name: "vp9-aac.mp4",
    content: Content::Both,
    options: &[VP9, AAC],
};

/// What its name says.
pub const AV1_OPUS_MKV: Sample = Sample {
    name: "av1-opus.mkv",
    content: Content::Both,
    options: &[AV1, OPUS],
};

/// What its name says.
pub const AV1_OPUS_MP4: Sample = Sample {
    name: "av1-opus.mp4",
    content: Content::Both,
    options: &[AV1, OPUS_IN_MP4],
};

/// What its name says.
pub const VP8_IVF: Sample = Sample {
    name: "vp8.ivf",
    content: Content::Pictures,
    options: &[VP8],
};

/// What its name says.
pub const VP9_IVF: Sample = Sample {
    name: "vp9.ivf",
    content: Content::Pictures,
    options: &[VP9],
};

/// What its name says.
pub const AV1_IVF: Sample = Sample {
    name: "av1.ivf",
    content: Content::Pictures,
    options: &[AV1],
};

/// What its name says.
pub const OPUS_OGG: Sample = Sample {
    name: "opus.ogg",
    content: Content::Sound,
    options: &[OPUS],
};

/// Six channels, which browsers do not take as they are.
pub const OPUS_SURROUND_MKV: Sample = Sample {
    name: "opus-surround.mkv",
    content: Content::Sound,
    options: &["-ac 6", OPUS, "-mapping_family 1"],
};

/// What its name says.
pub const VORBIS_OGG: Sample = Sample {
    name: "vorbis.ogg",
    content: Content::Sound,
    options: &["-c:a libvorbis"],
};

/// 44.1 kHz, stereo.
pub const PCM_WAV: Sample = Sample {
    name: "pcm.wav",
    content: Content::Sound,
    options: &["-c:a pcm_s16le -ar 44100 -ac 2"],
};

/// What its name says.
pub const ADPCM_WAV: Sample = Sample {
    name: "adpcm.wav",
    content: Content::Sound,
    options: &["-c:a adpcm_ima_wav"],
};

/// What its name says.
pub const FLAC: Sample = Sample {
    name: "tone.flac",
    content: Content::Sound,
    options: &["-c:a flac"],
};

/// With a tag in front.
pub const MP3: Sample = Sample {
    name: "tone.mp3",
    content: Content::Sound,
    options: &["-c:a libmp3lame -metadata title=tone"],
};

/// H.264 with B-frames.
pub const B_FRAMES_MP4: Sample = Sample {
    name: "b-frames.mp4",
    content: Content::Pictures,
    options: &[X264_B],
};

/// H.264 with B-frames, in fragments.
pub const B_FRAMES_FRAGMENTED_MP4: Sample = Sample {
    name: "b-frames-fragmented.mp4",
    content: Content::Pictures,
    options: &[X264_B, FRAGMENTS],
};

/// H.264 with B-frames.
pub const B_FRAMES_MKV: Sample = Sample {
    name: "b-frames.mkv",
    content: Content::Pictures,
    options: &[X264_B],
};

/// What its name says.
pub const HEVC_MP4: Sample = Sample {
    name: "hevc.mp4",
    content: Content::Pictures,
    options: &[X265],
};

/// What its name says.
pub const HEVC_MKV: Sample = Sample {
    name: "hevc.mkv",
    content: Content::Pictures,
    options: &[X265],
};

/// What its name says.
pub const MPEG4_MP4: Sample = Sample {
    name: "mpeg4.mp4",
    content: Content::Pictures,
    options: &["-c:v mpeg4"],
};

/// The sound could be played.
pub const MPEG4_AAC_MP4: Sample = Sample {
    name: "mpeg4-aac.mp4",
    content: Content::Both,
    options: &["-c:v mpeg4", AAC],
};

/// What its name says.
pub const PRORES_MOV: Sample = Sample {
    name: "prores.mov",
    content: Content::Pictures,
    options: &["-c:v prores"],
};

/// H.264 of a profile that browsers do not play.
pub const H264_10_BIT_MKV: Sample = Sample {
    name: "h264-10-bit.mkv",
    content: Content::Pictures,
    options: &[X264_10_BIT],
};

/// The pictures could be played.
pub const H264_AC3_MKV: Sample = Sample {
    name: "h264-ac3.mkv",
    content: Content::Both,
    options: &[X264, "-c:a ac3"],
};

/// What its name says.
pub const AC3_MP4: Sample = Sample {
    name: "ac3.mp4",
    content: Content::Sound,
    options: &["-c:a ac3"],
};

/// Uncompressed pictures, which are encoded anew.
pub const RAW_Y4M: Sample = Sample {
    name: "raw.y4m",
    content: Content::Pictures,
    options: &["-pix_fmt yuv420p"],
};

/// What can be played, but [`RAW_Y4M`]: passed through, or sound.
pub const PLAYABLE: &[Sample] = &[
    H264_AAC_MP4,
    H264_AAC_FAST_MP4,
    H264_AAC_FRAGMENTED_MP4,
    H264_OPUS_MP4,
    H264_PCM_MOV,
    H264_ALAC_MOV,
    H264_MP3_MKV,
    H264_FLAC_MKV,
    VP8_VORBIS_WEBM,
    VP8_OPUS_WEBM,
    VP9_OPUS_WEBM,
    VP9_AAC_MP4,
    AV1_OPUS_MKV,
    AV1_OPUS_MP4,
    VP8_IVF,
    VP9_IVF,
    AV1_IVF,
    OPUS_OGG,
    OPUS_SURROUND_MKV,
    VORBIS_OGG,
    PCM_WAV,
    ADPCM_WAV,
    FLAC,
    MP3,
];

/// What browsers do not play from a live stream.
pub const UNPLAYABLE: &[Sample] = &[
    B_FRAMES_MP4,
    B_FRAMES_FRAGMENTED_MP4,
    B_FRAMES_MKV,
    HEVC_MP4,
    HEVC_MKV,
    MPEG4_MP4,
    MPEG4_AAC_MP4,
    PRORES_MOV,
    H264_10_BIT_MKV,
    H264_AC3_MKV,
    AC3_MP4,
];
