use super::*;
use twoway_publisher::{Size, StreamName};

const SECRET: &str = "s3cret-tok3n";

fn read_line(line: &str, token_variable: Option<&str>) -> Result<Asked, String> {
    let words = std::iter::once("twoway-publish").chain(line.split_whitespace());
    read(words.map(OsString::from), |variable| {
        assert_eq!(variable, "TWOWAY_TOKEN");
        token_variable.map(OsString::from)
    })
}

fn published(line: &str, token_variable: Option<&str>) -> Result<Arguments, String> {
    let Asked::Publish(arguments) = read_line(line, token_variable)? else {
        panic!("{line} publishes");
    };
    Ok(*arguments)
}

fn parse(line: &str) -> Result<Arguments, String> {
    published(line, None)
}

fn token_of(line: &str, variable: Option<&str>) -> Result<Option<Token>, String> {
    published(line, variable).map(|arguments| arguments.options.session.token)
}

#[test]
fn defaults_are_those_of_the_library() {
    let parsed = parse("ws://localhost:8080/test").unwrap();
    let target = Target::parse("ws://localhost:8080", Some("test")).unwrap();
    let expected = Options::new(target.server, StreamName::new("test"));
    assert_eq!(parsed.options, expected);
    assert_eq!((parsed.duration, parsed.form), (None, Form::Lines));
    assert_eq!(parsed.stats_file, None);
    let nothing = Wanted {
        pictures: None,
        microphone: None,
        inputs: Vec::new(),
        repeat: false,
        only: None,
        size: None,
        fps: None,
        stereo: false,
        given: EncodingGiven::default(),
    };
    assert_eq!(parsed.wanted, nothing);
}

#[test]
fn every_encoding_option_is_taken() {
    let parsed = parse(
        "ws://h:1/path --size 640x360 --fps 15 --bitrate 500 --min-bitrate 200 \
         --start-bitrate 300 --keyframe-interval 0 --audio-bitrate 32 --stereo --no-fec",
    );
    let size: Size = "640x360".parse().unwrap();
    let parsed = parsed.unwrap();
    let expected = MediaOptions {
        video: VideoOptions {
            max_size: Some(size),
            max_fps: Some(15),
            max_bitrate_bps: 500_000,
            min_bitrate_bps: 200_000,
            start_bitrate_bps: Some(300_000),
            keyframe_interval: Duration::ZERO,
            adapt: true,
        },
        audio: AudioOptions {
            bitrate_bps: 32_000,
            stereo: true,
            fec: false,
        },
    };
    assert_eq!(parsed.options.media, expected);
    let wanted = parsed.wanted;
    assert_eq!((wanted.size, wanted.fps), (Some(size), Some(15)));
    assert!(wanted.stereo);
    assert!(
        !parse("ws://h/x --no-adapt")
            .unwrap()
            .options
            .media
            .video
            .adapt
    );
}

#[test]
fn encoding_options_that_are_given_are_told_from_defaults() {
    let given = |line: &str| parse(&format!("ws://h/x {line}")).unwrap().wanted.given;
    let none = EncodingGiven::default();
    assert_eq!(given("--no-video --no-adapt --duration 1"), none);
    let all = given(
        "--size 640x360 --fps 15 --bitrate 2000 --min-bitrate 200 --start-bitrate 300 \
         --keyframe-interval 4 --audio-bitrate 64 --stereo --no-fec",
    );
    let video = [
        "--size",
        "--fps",
        "--bitrate",
        "--min-bitrate",
        "--start-bitrate",
        "--keyframe-interval",
    ];
    assert_eq!(all.video, video);
    assert_eq!(all.audio, ["--audio-bitrate", "--stereo", "--no-fec"]);
}

#[test]
fn a_low_bitrate_lowers_the_least_one_too() {
    let video = parse("ws://h/x --bitrate 60").unwrap().options.media.video;
    assert_eq!(
        (video.min_bitrate_bps, video.max_bitrate_bps),
        (60_000, 60_000)
    );
}

#[test]
fn every_other_option_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.pem", "b.pem"].map(|name| folder.path().join(name));
    for file in &files {
        let key = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        std::fs::write(file, key.cert.pem()).unwrap();
    }
    let [first, second] = files.each_ref().map(|file| file.display());
    let parsed = parse(&format!(
        "wss://h:1/path --name cam --ca-file {first} --ca-file {second} --app-key studio \
         --custom {{\"a\":1}} --give-up-after 30 --duration 2.5 --monitor --json \
         --stats-file stats.json",
    ));
    let parsed = parsed.unwrap();
    let options = &parsed.options;
    assert_eq!(options.name.as_str(), "cam");
    assert_eq!(options.session.tls.ca_files, files);
    assert_eq!(options.session.app_key, "studio");
    assert_eq!(options.session.custom, Some(serde_json::json!({"a": 1})));
    assert_eq!(options.retry.give_up_after, Some(Duration::from_secs(30)));
    assert_eq!(parsed.duration, Some(Duration::from_millis(2500)));
    assert!(options.monitor);
    assert_eq!(parsed.form, Form::Json);
    assert_eq!(parsed.stats_file, Some(PathBuf::from("stats.json")));

    let parsed = parse("https://h/whip/x --insecure -q").unwrap();
    assert!(parsed.options.session.tls.insecure);
    assert_eq!(parsed.form, Form::Quiet);
}

#[test]
fn sources_are_told_apart() {
    let pictures = |line: &str| parse(line).unwrap().wanted.pictures;
    let microphone = |line: &str| parse(line).unwrap().wanted.microphone;
    let name = |name: &str| Some(name.to_owned());
    let display = |number| Some(Pictures::Screen(ScreenTarget::Display(number)));
    assert_eq!(pictures("ws://h/x --camera"), Some(Pictures::Camera(None)));
    // An option whose value may be left out does not swallow the URL.
    assert_eq!(pictures("--camera ws://h/x"), Some(Pictures::Camera(None)));
    assert_eq!(
        pictures("ws://h/x --camera usb"),
        Some(Pictures::Camera(name("usb")))
    );
    assert_eq!(
        pictures("--camera=usb ws://h/x"),
        Some(Pictures::Camera(name("usb")))
    );
    assert_eq!(pictures("--screen ws://h/x"), display(0));
    assert_eq!(pictures("ws://h/x --screen 1"), display(1));
    let window = ScreenTarget::Window("Firefox".to_owned());
    assert_eq!(
        pictures("ws://h/x --window Firefox"),
        Some(Pictures::Screen(window))
    );
    assert_eq!(pictures("ws://h/x --test-picture"), Some(Pictures::Test));
    assert_eq!(microphone("--microphone ws://h/x"), Some(None));
    assert_eq!(
        microphone("ws://h/x --microphone 2 --camera"),
        Some(name("2"))
    );
    assert_eq!(microphone("ws://h/x --camera"), None);
}

#[test]
fn inputs_are_files_or_standard_input() {
    let wanted = |line: &str| parse(line).unwrap().wanted;
    let file = |name: &str| Input::File(PathBuf::from(name));
    assert_eq!(wanted("ws://h/x a.mp4").inputs, [file("a.mp4")]);
    assert_eq!(wanted("ws://h/x -").inputs, [Input::StandardInput]);
    assert_eq!(
        wanted("ws://h/x a.ivf - ").inputs,
        [file("a.ivf"), Input::StandardInput]
    );
    // What is a file's name after the URL is no command.
    assert_eq!(wanted("ws://h/x devices").inputs, [file("devices")]);
    assert!(wanted("ws://h/x a.mp4 --loop").repeat);
    assert_eq!(wanted("ws://h/x --no-video").only, Some(Track::Audio));
    assert_eq!(wanted("ws://h/x --no-audio").only, Some(Track::Video));
}

#[test]
fn commands_stand_alone() {
    let asked = |line: &str| read_line(line, None).unwrap();
    assert!(matches!(asked("devices"), Asked::Devices { json: false }));
    assert!(matches!(
        asked("devices --json"),
        Asked::Devices { json: true }
    ));
    assert!(matches!(
        asked("completions zsh"),
        Asked::Completions(Shell::Zsh)
    ));
    assert!(matches!(asked("man"), Asked::Man));
    assert!(matches!(asked("--help"), Asked::Help(_)));
    assert!(matches!(asked("--version"), Asked::Help(_)));
}

#[test]
fn the_token_comes_from_the_nearest_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "from-file\n").unwrap();
    let file = file.to_str().unwrap();
    let check = |options: &str, variable: Option<&str>, expected: Option<&str>| {
        let token = token_of(&format!("ws://h/x {options}"), variable).unwrap();
        assert_eq!(token.as_ref().map(Token::as_str), expected, "{options}");
    };
    check("", None, None);
    check("", Some(""), None);
    check("", Some("from-variable"), Some("from-variable"));
    check("--token -dashed-", Some("from-variable"), Some("-dashed-"));
    let from_file = format!("--token-file {file}");
    check(&from_file, Some("from-variable"), Some("from-file"));
}

#[test]
fn the_token_is_never_shown() {
    let long = format!("{SECRET}{}", "x".repeat(5000));
    let check = |line: &str, variable: Option<&str>, expected: &str| {
        let error = token_of(line, variable).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
        assert!(!error.contains(SECRET), "{error}");
    };
    let access = "an access token has";
    check(&format!("ws://h/x --token {long}"), None, access);
    check(
        "ws://h/x",
        Some(&format!("{SECRET} two")),
        "TWOWAY_TOKEN: an access token has",
    );
    check(
        &format!("ws://h/x --token {SECRET} --token {SECRET}"),
        None,
        "--token",
    );
    check(
        &format!("ws://h/x --token={SECRET} --token-file f"),
        None,
        "--token-file",
    );
    check(&format!("--token {SECRET}"), None, "<URL>");
    check(
        &format!("ws://h/x --token={SECRET} --bogus"),
        None,
        "--bogus",
    );
    let debug = format!(
        "{:?}",
        parse(&format!("ws://h/x --token {SECRET}")).unwrap()
    );
    assert!(!debug.contains(SECRET), "{debug}");
}

#[test]
fn bad_arguments_get_one_clear_sentence() {
    let check = |line: &str, expected: &str| {
        let error = parse(line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
        assert!(!error.contains('\n'), "{line}: {error}");
    };
    check("ftp://h:1/test", "must begin with");
    check("ws://h:1/", "has no name");
    check("ws://h:1/test --size 1281x720", "both even");
    check("ws://h:1/test --fps 0", "--fps");
    check("ws://h:1/test --fps 121", "--fps");
    check("ws://h:1/test --bitrate fast", "--bitrate");
    check(
        "ws://h:1/test --bitrate 500 --min-bitrate 600",
        "--min-bitrate is above --bitrate",
    );
    check(
        "ws://h:1/test --bitrate 500 --start-bitrate 600",
        "--start-bitrate is above --bitrate",
    );
    check(
        "ws://h:1/test --start-bitrate 50",
        "--start-bitrate is below --min-bitrate, which is 100",
    );
    check("ws://h:1/test --audio-bitrate 5", "--audio-bitrate");
    check("ws://h:1/test --duration=-1", "not a number of seconds");
    check("ws://h:1/test --duration NaN", "not a number of seconds");
    check("ws://h:1/test --give-up-after soon", "--give-up-after");
    check("ws://h:1/test --colour", "--colour");
    check("ws://h:1/test --custom {a}", "--custom is not JSON");
    check(
        "ws://h:1/test --screen left",
        "--screen wants a display's number",
    );
    check("ws://h:1/test a b c", "more than two inputs");
    check("ws://h:1/test - -", "cannot be read twice");
    check("ws://h:1/test --loop", "--loop has no media file");
    check("--fps 30", "<URL>");
    check("completions cobol", "cobol");
    check("ws://h:1/test --token-file missing-file", "missing-file");
    check("wss://h:1/test --ca-file missing-file", "missing-file");
}

#[test]
fn options_that_conflict_are_both_named() {
    let check = |options: &str, one: &str, other: &str| {
        let error = parse(&format!("ws://h/x {options}")).unwrap_err();
        assert!(
            error.contains(one) && error.contains(other),
            "{options}: {error}"
        );
        assert!(!error.contains('\n'), "{options}: {error}");
    };
    check("--camera --screen", "--camera", "--screen");
    check("--camera --window x", "--camera", "--window");
    check("--camera --test-picture", "--camera", "--test-picture");
    check("--screen --window x", "--screen", "--window");
    check("--window x --test-picture", "--window", "--test-picture");
    check("--no-video --no-audio", "--no-video", "--no-audio");
    check(
        "--no-adapt --min-bitrate 100",
        "--no-adapt",
        "--min-bitrate",
    );
    check(
        "--no-adapt --start-bitrate 100",
        "--no-adapt",
        "--start-bitrate",
    );
    check("--insecure --ca-file f", "--insecure", "--ca-file");
    check("--json --quiet", "--json", "--quiet");
    check("--loop -", "--loop", "standard input");
    let check = |line: &str, one: &str, other: &str| {
        let error = parse(line).unwrap_err();
        assert!(
            error.contains(one) && error.contains(other),
            "{line}: {error}"
        );
    };
    check("https://h/whip/x --app-key k", "--app-key", "https://");
    check("https://h/whip/x --custom 1", "--custom", "https://");
}

#[test]
fn the_definition_is_sound() {
    definition().debug_assert();
}
