//! Matroska and WebM (RFC 9559), from files and from pipes.
//!
//! Reads forward only and looks at nothing but the header, the tracks and the
//! blocks, so it never needs the sizes of clusters, which live streams do not
//! have. After something that makes no sense it goes on at the next cluster.

mod block;
mod ebml;
mod tracks;

use std::collections::VecDeque;
use std::time::Instant;

use super::bytes::Bytes;
use super::container::{
    Container, MAX_PACKET, Nanos, OpenError, Packet, ReadError, Track, clamped,
};
use ebml::{Header, Id};
use tracks::TrackEntry;

/// What a Matroska file starts with.
pub(super) const MAGIC: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];

/// Bytes of everything in front of the first cluster that has to be read.
const MAX_HEADER: u64 = 8 << 20;

const EBML: Id = 0x1a45_dfa3;
const DOC_TYPE: Id = 0x4282;
const SEGMENT: Id = 0x1853_8067;
const INFO: Id = 0x1549_a966;
const TIMESTAMP_SCALE: Id = 0x2a_d7b1;
const TRACKS: Id = 0x1654_ae6b;
const CLUSTER: Id = 0x1f43_b675;
const TIMESTAMP: Id = 0xe7;
const SIMPLE_BLOCK: Id = 0xa3;
const BLOCK_GROUP: Id = 0xa0;

/// What may stand beside clusters, or in them, and does not matter here:
/// seek head, cues, attachments, chapters, tags; position, previous size,
/// silent tracks, encrypted block; void and checksum.
const SKIPPED: [Id; 11] = [
    0x114d_9b74,
    0x1c53_bb6b,
    0x1941_a469,
    0x1043_a770,
    0x1254_c367,
    0xa7,
    0xab,
    0x5854,
    0xaf,
    0xec,
    0xbf,
];

/// Nanoseconds in a tick, if the file says nothing else.
const DEFAULT_SCALE: u64 = 1_000_000;

/// A reader of Matroska.
pub(super) struct Mkv {
    bytes: Bytes,
    entries: Vec<TrackEntry>,
    tracks: Vec<Track>,
    /// Nanoseconds in a tick.
    scale: u64,
    /// Where the segment ends; `None`: with the file.
    segment_end: Option<u64>,
    /// Where the cluster ends, if that is known.
    cluster_end: Option<u64>,
    /// Of the cluster, in ticks; `None`: not yet known.
    cluster_time: Option<u64>,
    /// Of a block with several frames.
    frames: VecDeque<Packet>,
    /// The next cluster has to be searched for.
    lost: bool,
}

impl Mkv {
    /// Reads up to the first cluster.
    pub(super) fn open(mut bytes: Bytes) -> Result<Self, OpenError> {
        let segment_end = open_segment(&mut bytes)?;
        let mut scale = DEFAULT_SCALE;
        let mut entries = None;
        loop {
            let header = ebml::header(&mut bytes)?.ok_or("its header makes no sense")?;
            let size = header.size.filter(|size| *size <= MAX_HEADER);
            match (header.id, size) {
                (INFO, Some(size)) => {
                    let content = bytes.take(size as usize)?;
                    let found = ebml::children(&content).find(|(id, _)| *id == TIMESTAMP_SCALE);
                    let found = found.and_then(|(_, content)| ebml::integer(content));
                    scale = found.filter(|scale| *scale > 0).unwrap_or(scale);
                }
                (TRACKS, Some(size)) => entries = Some(tracks::parse(&bytes.take(size as usize)?)),
                (CLUSTER, _) => {
                    let entries = entries.ok_or("its list of tracks is missing")?;
                    let mut mkv = Self {
                        bytes,
                        tracks: entries.iter().map(TrackEntry::track).collect(),
                        entries,
                        scale,
                        segment_end,
                        cluster_end: None,
                        cluster_time: None,
                        frames: VecDeque::new(),
                        lost: false,
                    };
                    mkv.enter_cluster(header);
                    return Ok(mkv);
                }
                (id, _) if SKIPPED.contains(&id) => {
                    bytes.skip(header.size.ok_or("its header makes no sense")?)?;
                }
                _ => return Err("its header makes no sense".into()),
            }
        }
    }

    fn enter_cluster(&mut self, header: Header) {
        let end = header
            .size
            .and_then(|size| self.bytes.position().checked_add(size));
        self.cluster_end = end;
        self.cluster_time = None;
    }

    fn read(&mut self) -> Result<Packet, ReadError> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            if self.lost {
                self.find_cluster()?;
            }
            if self.bytes.at_end()? {
                let whole = self
                    .segment_end
                    .is_none_or(|end| self.bytes.position() >= end);
                return Err(if whole {
                    ReadError::End
                } else {
                    ReadError::BrokenOff
                });
            }
            match self.read_element() {
                Ok(()) => {}
                Err(ReadError::Corrupt) => {
                    self.lost = true;
                    return Err(ReadError::Corrupt);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read_element(&mut self) -> Result<(), ReadError> {
        let header = ebml::header(&mut self.bytes)?.ok_or(ReadError::Corrupt)?;
        match header.id {
            CLUSTER => self.enter_cluster(header),
            // Live streams may be strung together.
            SEGMENT => {
                let position = self.bytes.position();
                self.segment_end = header.size.and_then(|size| position.checked_add(size));
            }
            TIMESTAMP => {
                let content = self.content(header, 8)?;
                self.cluster_time = ebml::integer(&content);
            }
            SIMPLE_BLOCK | BLOCK_GROUP => {
                let content = self.content(header, MAX_PACKET)?;
                self.read_block(header.id, &content)?;
            }
            EBML | INFO | TRACKS => self.skip(header)?,
            id if SKIPPED.contains(&id) => self.skip(header)?,
            _ => return Err(ReadError::Corrupt),
        }
        Ok(())
    }

    fn skip(&mut self, header: Header) -> Result<(), ReadError> {
        let size = header.size.ok_or(ReadError::Corrupt)?;
        Ok(self.bytes.skip(size)?)
    }

    /// An element's content, unless it is too long or reaches out of its cluster.
    fn content(&mut self, header: Header, max: usize) -> Result<Vec<u8>, ReadError> {
        let size = header.size.ok_or(ReadError::Corrupt)?;
        let length = usize::try_from(size).map_err(|_| ReadError::Corrupt)?;
        let end = self.bytes.position().saturating_add(size);
        if length > max || self.cluster_end.is_some_and(|cluster| end > cluster) {
            return Err(ReadError::Corrupt);
        }
        Ok(self.bytes.take(length)?)
    }

    fn read_block(&mut self, id: Id, content: &[u8]) -> Result<(), ReadError> {
        let cluster_time = self.cluster_time.ok_or(ReadError::Corrupt)?;
        let block = match id {
            BLOCK_GROUP => block::in_group(content),
            _ => block::parse(content),
        };
        let block = block.ok_or(ReadError::Corrupt)?;
        let Some(entry) = self
            .entries
            .iter()
            .find(|entry| entry.number == block.track)
        else {
            return Ok(()); // subtitles, say
        };
        let ticks = i128::from(cluster_time) + i128::from(block.time);
        let time = clamped(ticks * i128::from(self.scale)) - entry.delay;
        let scaled = |ticks: u64| clamped(i128::from(ticks) * i128::from(self.scale));
        let duration = block.duration.map(scaled);
        let frames = block.frames.len() as Nanos;
        for (index, frame) in (0..).zip(&block.frames) {
            let data = entry.whole(frame);
            let time = match (index, entry.frame_duration) {
                (0, _) => Some(time),
                (_, Some(frame_duration)) => Some(time + index * frame_duration),
                (_, None) => None,
            };
            self.frames.push_back(Packet {
                track: entry.id,
                time,
                duration: duration.map(|all| all / frames).or(entry.frame_duration),
                cut_start: time.map_or(0, |time| (-time).max(0)),
                cut_end: if index + 1 == frames {
                    block.discard
                } else {
                    0
                },
                data,
            });
        }
        Ok(())
    }

    /// Goes on at the next cluster.
    fn find_cluster(&mut self) -> Result<(), ReadError> {
        let mut seen = 0;
        loop {
            if self.bytes.at_end()? {
                return Err(ReadError::End);
            }
            let [byte] = self.bytes.array()?;
            seen = seen << 8 | Id::from(byte);
            if seen == CLUSTER {
                break;
            }
        }
        // The marker is behind us; its size follows like that of any element.
        let size = ebml::size(&mut self.bytes)?.ok_or(ReadError::Corrupt)?;
        self.lost = false;
        self.enter_cluster(Header { id: CLUSTER, size });
        Ok(())
    }
}

/// Reads the header and where the segment starts; returns where it ends.
fn open_segment(bytes: &mut Bytes) -> Result<Option<u64>, OpenError> {
    let senseless = || OpenError::from("its header makes no sense");
    let header = ebml::header(bytes)?.ok_or_else(senseless)?;
    let size = header.size.filter(|size| *size <= MAX_HEADER);
    let content = bytes.take(size.ok_or_else(senseless)? as usize)?;
    let kind = ebml::children(&content).find(|(id, _)| *id == DOC_TYPE);
    let kind = kind
        .map(|(_, content)| ebml::text(content))
        .unwrap_or_default();
    if kind != "matroska" && kind != "webm" {
        return Err("it is neither Matroska nor WebM".into());
    }
    loop {
        let header = ebml::header(bytes)?.ok_or_else(senseless)?;
        if header.id == SEGMENT {
            return Ok(header
                .size
                .and_then(|size| bytes.position().checked_add(size)));
        }
        bytes.skip(header.size.ok_or_else(senseless)?)?;
    }
}

impl Container for Mkv {
    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next(&mut self, _until: Instant) -> Result<Packet, ReadError> {
        self.read()
    }
}
