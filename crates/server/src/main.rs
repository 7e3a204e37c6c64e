//! The `twoway-server` command.

mod run;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{ArgMatches, Args, CommandFactory, Parser, Subcommand};
use run::Signals;
use twoway_server::doctor;
use twoway_server::media::Reach;
use twoway_server::net::{self, PageSource, Running};
use twoway_server::settings::{self, Gathered, Settings, SettingsError};

/// The Two-way Streaming server: signalling, media and the page in one program.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "All but the first three may also stand in the configuration, in the \
        table of their heading, or in the environment: --max-message is max-message in \
        [limits], and TWOWAY_MAX_MESSAGE. The environment outweighs the configuration, an \
        option both.\n\n\
        Logs go to stderr; --log debug has it say more."
)]
struct Command {
    /// Configuration to read, in TOML; TWOWAY_CONFIG in the environment names one, too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say whether the configuration is right, and start nothing
    #[arg(long)]
    check_config: bool,
    /// Write a configuration with every setting at its default, and start nothing
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    action: Option<Action>,
}

/// What else there is to do than to serve.
#[derive(Debug, Subcommand)]
enum Action {
    /// Look at this host for what would keep clients from the server, and start nothing
    Doctor(Doctor),
}

/// With the settings that the server has or will have.
#[derive(Debug, Args)]
struct Doctor {
    /// Configuration to read, in TOML; TWOWAY_CONFIG in the environment names one, too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only ask the server that runs here, or the one at URL, whether it is well
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    health: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Command::command().get_matches();
    if let Some(options) = options.subcommand_matches("doctor") {
        return examine(options);
    }
    if options.get_flag("print_config") {
        print!("{}", settings::example());
        return ExitCode::SUCCESS;
    }
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &ArgMatches) -> anyhow::Result<()> {
    // Before anything is announced, so that no signal is lost in between.
    let signals = Signals::new().context("cannot listen for signals")?;
    let gathered = gather(options)?;
    gathered.settings.logs().start()?;
    let (config, media) = gathered.clone().configs()?;
    if options.get_flag("check_config") {
        println!("the configuration is right");
        return Ok(());
    }
    let page = config.page.clone();
    let (server, reach) = net::serve(config, media).await?;
    announce(&server, &reach, &page).context("cannot write to stdout")?;
    run::until_stopped(server, signals, gathered, || gather(options)).await;
    Ok(())
}

/// Says how this host is, or how the server is that runs on it.
fn examine(options: &ArgMatches) -> ExitCode {
    let gathered = gather(options);
    let result = match options.get_one::<String>("health") {
        Some(url) => check_health(url, gathered),
        None => report(&doctor::examine(gathered)),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn report(report: &doctor::Report) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let coloured = out.is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    report
        .write(&mut out, coloured)
        .context("cannot write to stdout")?;
    Ok(if report.is_wrong() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Of the server at `url`, or where the settings have it if that is empty.
fn check_health(url: &str, gathered: Result<Gathered, SettingsError>) -> anyhow::Result<ExitCode> {
    let url = match url {
        "" => doctor::health::url(gathered?.listen()),
        url => url.to_owned(),
    };
    doctor::health::ask(&url)?;
    println!("the server answers at {url}");
    Ok(ExitCode::SUCCESS)
}

fn gather(options: &ArgMatches) -> Result<Gathered, SettingsError> {
    let environment = env::vars_os().collect();
    Gathered::new(config_file(options).as_deref(), &environment, options)
}

fn config_file(options: &ArgMatches) -> Option<PathBuf> {
    let named = options.get_one("config").cloned();
    named.or_else(|| env::var_os("TWOWAY_CONFIG").map(PathBuf::from))
}

/// Says on stdout where everything is; the last line is for programs.
fn announce(server: &Running, media: &Reach, page: &PageSource) -> io::Result<()> {
    let addr = server.addr();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Two-way Streaming server {}",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(
        out,
        "listening on {addr} (page, API, WHIP, WHEP, WebSocket at any path)"
    )?;
    if let Some(addr) = server.tls_addr() {
        writeln!(out, "listening on {addr} with TLS (the same)")?;
    }
    if let Some(fingerprint) = server.self_signed() {
        writeln!(out, "self-signed certificate, SHA-256 {fingerprint}")?;
    }
    let addresses: Vec<_> = media.addresses.iter().map(ToString::to_string).collect();
    let over = media.transports;
    writeln!(out, "media over {over} at {}", addresses.join(", "))?;
    for note in &media.notes {
        let kind = if note.is_warning() { "warning" } else { "note" };
        writeln!(out, "{kind}: {note}")?;
    }
    if let (PageSource::Folder(folder), false) = (page, page.is_there()) {
        let folder = folder.display();
        writeln!(
            out,
            "no page in {folder}: build it with trunk build --release"
        )?;
    }
    if let Some(addr) = server.tls_addr() {
        writeln!(out, "with TLS: https://{}/", reachable(addr))?;
    }
    writeln!(out, "ready: http://{}/", reachable(addr))?;
    out.flush()
}

/// An address that this machine can open for `addr`.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), addr.port())
    } else {
        addr
    }
}
