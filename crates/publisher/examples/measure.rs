//! Prints what publishing the test picture costs on this machine: each stage by
//! itself, then the whole, against a server in the same process.
//!
//! `cargo run --release -p twoway-publisher --example measure -- 1280x720 2000 20`
//!
//! The arguments are size, kilobits per second, and seconds.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::time::sleep;
use twoway_publisher::encode::{AudioConfig, AudioEncoder, EncodeError, VideoConfig, VideoEncoder};
use twoway_publisher::{
    AudioOptions, Captured, Options, Publisher, SAMPLE_RATE, Scaler, Server, ServerUrl, Size,
    Source, StreamName, TestPicture, VideoStats,
};
use twoway_server::{media, net};

const FPS: u32 = 30;

/// What Linux counts a thread's time in, on every usual kernel.
const TICK: Duration = Duration::from_millis(10);

/// Sound of this rate has to be resampled.
const OTHER_RATE: u32 = 44_100;

/// Pictures put through each stage by itself.
const PICTURES: usize = 300;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Wanted {
    size: Size,
    kbps: u32,
    duration: Duration,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let wanted = Wanted {
        size: argument("1280x720").parse()?,
        kbps: argument("2000").parse()?,
        duration: Duration::from_secs(argument("20").parse()?),
    };
    measure_stages(&wanted)?;
    measure_whole(&wanted)
}

/// Each stage in turn on this thread, as fast as it goes.
fn measure_stages(wanted: &Wanted) -> Outcome<()> {
    // So fast that the source never waits: its own time is drawing.
    let mut source = TestPicture::new(wanted.size, 100_000);
    let half = Size::new(
        wanted.size.width() as u32 / 2,
        wanted.size.height() as u32 / 2,
    )?;
    let mut scaler = Scaler::new(half);
    let mut video = video_encoder(wanted.size, wanted.kbps)?;
    let mut small = video_encoder(half, wanted.kbps / 4)?;
    let mut audio = audio_encoder(SAMPLE_RATE)?;
    let mut other_audio = audio_encoder(OTHER_RATE)?;
    let start = Instant::now();
    let mut stages = [const { Vec::new() }; 6];
    let [draw, scale, encode, encode_half, opus, resample] = &mut stages;
    while encode.len() < PICTURES {
        match timed(draw, || source.next())? {
            Captured::Video(mut frame) => {
                // The encoder's bitrate is one in time: that of the stream.
                frame.capture_time = start + Duration::from_secs(encode.len() as u64) / FPS;
                timed(encode, || video.encode(&frame, false))?;
                let scaled = timed(scale, || scaler.scale(&frame.picture));
                frame.picture = scaled.ok_or("a broken picture")?;
                timed(encode_half, || small.encode(&frame, false))?;
            }
            Captured::Audio(chunk) => {
                draw.pop();
                timed(opus, || audio.encode(&chunk))?;
                let mut chunk = chunk;
                chunk.samples.truncate(OTHER_RATE as usize / 50);
                timed(resample, || other_audio.encode(&chunk))?;
            }
            Captured::EncodedVideo(_)
            | Captured::EncodedAudio(_)
            | Captured::Nothing
            | Captured::Notice(_)
            | Captured::End => {}
        }
    }
    println!("one {} picture, or 20 ms of sound:", wanted.size);
    print_stage("draw", draw, FPS);
    print_stage("encode", encode, FPS);
    print_stage(&format!("scale to {half}"), scale, FPS);
    print_stage(&format!("encode {half}"), encode_half, FPS);
    print_stage("Opus", opus, 50);
    print_stage("Opus of 44.1 kHz", resample, 50);
    Ok(())
}

/// Of one channel.
fn audio_encoder(rate: u32) -> Result<AudioEncoder, EncodeError> {
    AudioEncoder::new(AudioConfig {
        rate,
        channels: 1,
        options: AudioOptions::default(),
    })
}

fn video_encoder(size: Size, kbps: u32) -> Result<VideoEncoder, EncodeError> {
    VideoEncoder::new(VideoConfig {
        size,
        fps: FPS,
        bitrate_bps: kbps * 1_000,
        keyframe_interval: Duration::from_secs(4),
    })
}

fn timed<T>(times: &mut Vec<Duration>, run: impl FnOnce() -> T) -> T {
    let start = processor_time();
    let result = run();
    times.push(processor_time().saturating_sub(start));
    result
}

/// Of this thread, so that a busy machine does not count.
#[cfg(unix)]
fn processor_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Elsewhere it does.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.unwrap_or_default()
}

fn print_stage(name: &str, times: &mut [Duration], per_second: u32) {
    times.sort();
    let Some(last) = times.len().checked_sub(1) else {
        return;
    };
    let ms = |at: usize| times[at].as_secs_f64() * 1_000.0;
    let mean = times.iter().sum::<Duration>() / times.len() as u32;
    println!(
        "  {name:<18} median {:6.2} ms, 95th percentile {:6.2} ms, most {:6.2} ms, {:5.1} % of a core",
        ms(last / 2),
        ms(last * 95 / 100),
        ms(last),
        percent(mean * per_second, Duration::from_secs(1)),
    );
}

fn percent(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64() * 100.0
}

/// A publisher and a server, each with threads of its own.
fn measure_whole(wanted: &Wanted) -> Outcome<()> {
    let server_threads = runtime("server", 1)?;
    let server = server_threads.block_on(serve())?;
    let send = runtime("send", 1)?;
    let (url, _) = ServerUrl::parse(&format!("ws://{}", server.addr()))?;
    let name = StreamName::new("measured");
    let mut options = Options::new(Server::WebCallServer(url), name);
    options.media.video.max_bitrate_bps = wanted.kbps * 1_000;
    options.media.video.adapt = false;
    let (before, after) = send.block_on(async {
        let source = TestPicture::new(wanted.size, FPS);
        let publisher = Publisher::connect(options, source);
        while publisher
            .stats()
            .video
            .is_none_or(|video| video.frames_sent == 0)
        {
            sleep(Duration::from_millis(100)).await;
        }
        let before = Moment::now(&publisher);
        sleep(wanted.duration).await;
        let after = Moment::now(&publisher);
        publisher.stop();
        publisher.wait().await.map(|()| (before, after))
    })?;
    print_whole(&before, &after);
    server_threads.block_on(server.shutdown());
    Ok(())
}

fn runtime(name: &str, threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
}

async fn serve() -> Outcome<net::Running> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let media = media::Config {
        bind: vec![Ipv4Addr::LOCALHOST.into()],
        ..media::Config::default()
    };
    let (running, _) = net::serve(net::Config::new(address), media).await?;
    Ok(running)
}

/// What is known at one moment.
struct Moment {
    at: Instant,
    video: VideoStats,
    threads: Vec<(String, Duration)>,
}

impl Moment {
    fn now(publisher: &Publisher) -> Self {
        Self {
            at: Instant::now(),
            video: publisher.stats().video.unwrap_or_default(),
            threads: thread_times(),
        }
    }
}

fn print_whole(before: &Moment, after: &Moment) {
    let elapsed = after.at - before.at;
    let (was, is) = (&before.video, &after.video);
    let sent = is.frames_sent - was.frames_sent;
    println!(
        "\n{:.0} s on air, {:.0} kbit/s:",
        elapsed.as_secs_f64(),
        (is.bytes - was.bytes) as f64 * 8.0 / elapsed.as_secs_f64() / 1_000.0,
    );
    for (name, time) in &after.threads {
        let known = before.threads.iter().find(|(known, _)| known == name);
        let time = time.saturating_sub(known.map_or(Duration::ZERO, |(_, time)| *time));
        println!(
            "  {name:<18} {:6.2} ms a picture, {:5.1} % of a core",
            time.as_secs_f64() * 1_000.0 / sent.max(1) as f64,
            percent(time, elapsed),
        );
    }
    println!(
        "  captured to handed to the network: median {:.2} ms",
        is.delay.as_secs_f64() * 1_000.0
    );
    let dropped = |video: &VideoStats| video.dropped_before_encoder + video.dropped_before_send;
    let dropped = dropped(is) - dropped(was);
    println!(
        "  {} pictures captured, {sent} sent, {} left out, {dropped} dropped: it {}",
        is.frames_captured - was.frames_captured,
        is.frames_skipped - was.frames_skipped,
        if dropped == 0 {
            "keeps up"
        } else {
            "falls behind"
        },
    );
}

/// What each of the publisher's threads has used of a processor, by its name.
/// Only Linux tells; elsewhere there are none.
fn thread_times() -> Vec<(String, Duration)> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let mut times: Vec<(String, Duration)> = Vec::new();
    for task in tasks.flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file));
        let (Ok(name), Ok(stat)) = (read("comm"), read("stat")) else {
            continue;
        };
        // User and system time are fields 14 and 15 (proc_pid_stat(5)); those
        // from the third on follow the name in parentheses.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u32 = ticks.filter_map(|field| field.parse::<u32>().ok()).sum();
        let time = TICK * ticks;
        let name = name.trim_end().to_owned();
        if !["capture", "encode-video", "encode-audio", "send"].contains(&name.as_str()) {
            continue;
        }
        match times.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += time,
            None => times.push((name, time)),
        }
    }
    times
}
