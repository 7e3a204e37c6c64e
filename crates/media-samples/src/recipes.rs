//! The samples: [`PLAYABLE`] and [`UNPLAYABLE`].

use crate::{Content, Sample};

/// The index is at the end, as ffmpeg has it by default.
pub const H264_AAC_MP4: Sample = Sample {
    name: "h264-aac.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
    ],
};

/// The index is in front.
pub const H264_AAC_FAST_MP4: Sample = Sample {
    name: "h264-aac-fast.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
    ],
};

/// In fragments, as streams are stored.
pub const H264_AAC_FRAGMENTED_MP4: Sample = Sample {
    name: "h264-aac-fragmented.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof",
    ],
};

/// What its name says.
pub const H264_OPUS_MP4: Sample = Sample {
    name: "h264-opus.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "libopus",
        "-strict",
        "-2",
    ],
};

/// QuickTime, with uncompressed sound.
pub const H264_PCM_MOV: Sample = Sample {
    name: "h264-pcm.mov",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "pcm_s16le",
    ],
};

/// QuickTime, with lossless sound.
pub const H264_ALAC_MOV: Sample = Sample {
    name: "h264-alac.mov",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "alac",
    ],
};

/// What its name says.
pub const H264_MP3_MKV: Sample = Sample {
    name: "h264-mp3.mkv",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "libmp3lame",
    ],
};

/// What its name says.
pub const H264_FLAC_MKV: Sample = Sample {
    name: "h264-flac.mkv",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "flac",
    ],
};

/// What its name says.
pub const VP8_VORBIS_WEBM: Sample = Sample {
    name: "vp8-vorbis.webm",
    content: Content::Both,
    options: &[
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
        "-c:a",
        "libvorbis",
    ],
};

/// What its name says.
pub const VP8_OPUS_WEBM: Sample = Sample {
    name: "vp8-opus.webm",
    content: Content::Both,
    options: &[
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
        "-c:a",
        "libopus",
    ],
};

/// What its name says.
pub const VP9_OPUS_WEBM: Sample = Sample {
    name: "vp9-opus.webm",
    content: Content::Both,
    options: &[
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
        "-c:a",
        "libopus",
    ],
};

/// What its name says.
pub const VP9_AAC_MP4: Sample = Sample {
    name: "vp9-aac.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
        "-c:a",
        "aac",
    ],
};

/// What its name says.
pub const AV1_OPUS_MKV: Sample = Sample {
    name: "av1-opus.mkv",
    content: Content::Both,
    options: &[
        "-c:v",
        "libsvtav1",
        "-preset",
        "12",
        "-g",
        "30",
        "-crf",
        "40",
        "-c:a",
        "libopus",
    ],
};

/// What its name says.
pub const AV1_OPUS_MP4: Sample = Sample {
    name: "av1-opus.mp4",
    content: Content::Both,
    options: &[
        "-c:v",
        "libsvtav1",
        "-preset",
        "12",
        "-g",
        "30",
        "-crf",
        "40",
        "-c:a",
        "libopus",
        "-strict",
        "-2",
    ],
};

/// What its name says.
pub const VP8_IVF: Sample = Sample {
    name: "vp8.ivf",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
    ],
};

/// What its name says.
pub const VP9_IVF: Sample = Sample {
    name: "vp9.ivf",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "30",
        "-b:v",
        "400k",
    ],
};

/// What its name says.
pub const AV1_IVF: Sample = Sample {
    name: "av1.ivf",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libsvtav1",
        "-preset",
        "12",
        "-g",
        "30",
        "-crf",
        "40",
    ],
};

/// What its name says.
pub const OPUS_OGG: Sample = Sample {
    name: "opus.ogg",
    content: Content::Sound,
    options: &["-c:a", "libopus"],
};

/// Six channels, which browsers do not take as they are.
pub const OPUS_SURROUND_MKV: Sample = Sample {
    name: "opus-surround.mkv",
    content: Content::Sound,
    options: &["-ac", "6", "-c:a", "libopus", "-mapping_family", "1"],
};

/// What its name says.
pub const VORBIS_OGG: Sample = Sample {
    name: "vorbis.ogg",
    content: Content::Sound,
    options: &["-c:a", "libvorbis"],
};

/// 44.1 kHz, stereo.
pub const PCM_WAV: Sample = Sample {
    name: "pcm.wav",
    content: Content::Sound,
    options: &["-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"],
};

/// What its name says.
pub const ADPCM_WAV: Sample = Sample {
    name: "adpcm.wav",
    content: Content::Sound,
    options: &["-c:a", "adpcm_ima_wav"],
};

/// What its name says.
pub const FLAC: Sample = Sample {
    name: "tone.flac",
    content: Content::Sound,
    options: &["-c:a", "flac"],
};

/// With a tag in front.
pub const MP3: Sample = Sample {
    name: "tone.mp3",
    content: Content::Sound,
    options: &["-c:a", "libmp3lame", "-metadata", "title=tone"],
};

/// H.264 with B-frames.
pub const B_FRAMES_MP4: Sample = Sample {
    name: "b-frames.mp4",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "2",
        "-b_strategy",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ],
};

/// H.264 with B-frames, in fragments.
pub const B_FRAMES_FRAGMENTED_MP4: Sample = Sample {
    name: "b-frames-fragmented.mp4",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "2",
        "-b_strategy",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof",
    ],
};

/// H.264 with B-frames.
pub const B_FRAMES_MKV: Sample = Sample {
    name: "b-frames.mkv",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "2",
        "-b_strategy",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ],
};

/// What its name says.
pub const HEVC_MP4: Sample = Sample {
    name: "hevc.mp4",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
    ],
};

/// What its name says.
pub const HEVC_MKV: Sample = Sample {
    name: "hevc.mkv",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
    ],
};

/// What its name says.
pub const MPEG4_MP4: Sample = Sample {
    name: "mpeg4.mp4",
    content: Content::Pictures,
    options: &["-c:v", "mpeg4"],
};

/// What its name says.
pub const PRORES_MOV: Sample = Sample {
    name: "prores.mov",
    content: Content::Pictures,
    options: &["-c:v", "prores"],
};

/// H.264 of a profile that browsers do not play.
pub const H264_10_BIT_MKV: Sample = Sample {
    name: "h264-10-bit.mkv",
    content: Content::Pictures,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p10le",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ],
};

/// What its name says.
pub const H264_AC3_MKV: Sample = Sample {
    name: "h264-ac3.mkv",
    content: Content::Both,
    options: &[
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-g",
        "30",
        "-sc_threshold",
        "0",
        "-c:a",
        "ac3",
    ],
};

/// What its name says.
pub const AC3_MP4: Sample = Sample {
    name: "ac3.mp4",
    content: Content::Sound,
    options: &["-c:a", "ac3"],
};

/// Uncompressed pictures, which are encoded anew.
pub const RAW_Y4M: Sample = Sample {
    name: "raw.y4m",
    content: Content::Pictures,
    options: &["-pix_fmt", "yuv420p"],
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
    PRORES_MOV,
    H264_10_BIT_MKV,
    H264_AC3_MKV,
    AC3_MP4,
];
