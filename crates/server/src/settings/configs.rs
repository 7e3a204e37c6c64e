//! What settings come to.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::{Gathered, LimitArgs, Mistake, Place, Settings, SettingsError};
use crate::limits::Limits;
use crate::net::PageSource;
use crate::{core, media, net};

impl Gathered {
    /// What the server and its media are started with.
    ///
    /// # Errors
    /// A setting is wrong in a way that only shows when it is used.
    pub fn configs(self) -> Result<(net::Config, media::Config), SettingsError> {
        let ice_servers = self.ice_servers()?;
        let tls = self.tls()?;
        let hooks = self.hooks()?;
        let live = Arc::new(self.live()?);
        let listen = self.listen();
        let settings = self.settings;
        let files = open_files();
        let media = settings.media(files);
        let config = net::Config {
            tls,
            ice_servers,
            hooks,
            live,
            core: settings.core(files),
            metrics: settings.see.exposed(),
            page: settings.page.map(PageSource::Folder).unwrap_or_default(),
            balance_to: settings.balance_to,
            ..net::Config::new(listen)
        };
        Ok((config, media))
    }

    /// Where HTTP and WebSocket are served.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.settings.bind, self.settings.port)
    }

    /// Parsed here and not by clap, which would repeat a password that is wrong.
    fn ice_servers(&self) -> Result<Vec<net::IceServer>, SettingsError> {
        let numbered = self.settings.media.ice_server.iter().zip(1..);
        numbered
            .map(|(url, number)| {
                let wrong =
                    |error| self.wrong("ice-server", format!("number {number} is none: {error}"));
                url.parse::<net::IceServer>().map_err(wrong)
            })
            .collect()
    }

    pub(super) fn wrong(&self, name: &str, what: String) -> SettingsError {
        let unsaid = Place::Option(name.to_owned());
        let place = self.place(name).cloned().unwrap_or(unsaid);
        SettingsError::Wrong(vec![Mistake { place, what }])
    }
}

impl Settings {
    fn core(&self, files: usize) -> core::Config {
        core::Config {
            limits: self.limits.limits(files),
            resume_time: Duration::from_secs(self.streams.resume_seconds.into()),
            hold_time: Duration::from_secs(self.streams.hold_seconds.into()),
            ..core::Config::default()
        }
    }

    fn media(&self, files: usize) -> media::Config {
        let defaults = media::Config::default();
        let workers = self.media.workers.unwrap_or(defaults.workers);
        media::Config {
            workers,
            bind: self.media.media_bind.clone(),
            first_port: self.media.media_port,
            transports: self.media.transport.into(),
            public_addresses: self.media.public_address.clone(),
            publisher_bitrate_bps: self.limits.max_bitrate.saturating_mul(1_000),
            tcp_connections: affordable_media(self.limits.max_media_tcp, workers, files),
            peers_per_worker: self.limits.max_peers,
            tcp_per_address: self.limits.max_media_tcp_address,
            rate_interval: Duration::from_secs(self.streams.rate_interval.into()),
            answer_all_codecs: self.streams.hold_seconds > 0,
            ..defaults
        }
    }
}

impl LimitArgs {
    fn limits(&self, files: usize) -> Limits {
        Limits {
            message_bytes: self.max_message,
            sdp_bytes: self.max_sdp,
            custom_bytes: self.max_custom,
            name_chars: self.max_name,
            streams_per_session: self.max_streams,
            snapshots_per_session: self.max_snapshots,
            sessions: self.max_sessions,
            messages_per_second: self.max_message_rate,
            connections: affordable_connections(self.max_connections, files),
            connections_per_address: self.max_connections_per_address,
            queued_messages: self.max_queue,
            queued_bytes: self.max_queue_bytes,
            queued_picture_bytes: self.max_queue_pictures,
        }
    }
}

/// Files that are neither connections of clients nor their media.
pub(crate) const OTHER_FILES: usize = 64;

/// Has the system allow this process as many open files, connections among them,
/// as it may ask for; how many those are, as far as that is known.
fn open_files() -> usize {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            tracing::info!("this process may have {files} files open (ulimit -n)");
            usize::try_from(files).unwrap_or(usize::MAX)
        }
        Err(error) => {
            tracing::debug!(%error, "the limit on open files is unknown");
            usize::MAX
        }
    }
}

/// How many of `asked` TCP connections for media a worker can have, so that all
/// workers' leave half of the files to everything else.
fn affordable_media(asked: usize, workers: NonZeroUsize, files: usize) -> usize {
    let what = "TCP connections for media on each worker";
    within_files(asked, files / 2 / workers, what, files)
}

/// How many of `asked` connections for signalling the other half is enough for.
fn affordable_connections(asked: usize, files: usize) -> usize {
    let share = (files / 2).saturating_sub(OTHER_FILES).max(1);
    within_files(asked, share, "connections for signalling", files)
}

/// How many of `asked` there can be, `share` being enough files for so many; says so
/// if it is fewer.
fn within_files(asked: usize, share: usize, what: &str, files: usize) -> usize {
    if share < asked {
        tracing::info!(
            "{share} {what} instead of {asked}: the system allows this process only {files} \
             files (ulimit -n)"
        );
    }
    asked.min(share)
}
