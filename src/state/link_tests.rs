use super::*;

fn check(query: &str, expected: Link) {
    assert_eq!(Link::parse(query), expected, "{query}");
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn every_parameter_is_read() {
    check(
        "?server=wss://example.org:8443/x&stream=a%20b&play=1&publish=0&view=player&muted=1&stats=0",
        Link {
            server: text("wss://example.org:8443/x"),
            stream: text("a b"),
            play: true,
            layout: Layout::Player,
            muted: Some(true),
            statistics: Some(false),
            ..Link::default()
        },
    );
    check(
        "connect=1&publish=1&view=embed&muted=0",
        Link {
            connect: true,
            publish: true,
            layout: Layout::Embed,
            muted: Some(false),
            ..Link::default()
        },
    );
}

#[test]
fn what_makes_no_sense_is_not_there() {
    for query in [
        "",
        "?",
        "&&&",
        "=",
        "server=&stream=&play=&view=",
        "server",
        "play=yes&publish=2&muted=true&stats=01",
        "view=TWO-WAY&view=embed",
        "token=secret&Play=1&play%3D1",
        "\u{0}\u{feff}=\u{fffd}",
    ] {
        check(query, Link::default());
    }
}

#[test]
fn the_first_of_many_counts_and_names_may_be_escaped() {
    let stream = |name| Link {
        stream: text(name),
        ..Link::default()
    };
    check("stream=a&stream=b", stream("a"));
    check("?str%65am=a+b", stream("a b"));
    check("stream=a=b", stream("a=b"));
    check("stream=%e2%82%ac", stream("€"));
    check("stream=100%&x=%", stream("100%"));
    check("stream=%zz%4", stream("%zz%4"));
    check("stream=%ff%41", stream("\u{fffd}A"));
    check("stream=%é", stream("%é"));
}

#[test]
fn limits() {
    let value = "x".repeat(MAX_VALUE_BYTES);
    let fits = Link::parse(&format!("server={value}"));
    assert_eq!(fits.server, Some(value.clone()));
    check(
        &format!("server={value}x&stream=a"),
        Link::parse("stream=a"),
    );
    let filler = "y".repeat(MAX_QUERY_BYTES - "play=1&=".len());
    assert!(Link::parse(&format!("play=1&={filler}")).play);
    check(&format!("play=1&={filler}y"), Link::default());
}

#[test]
fn a_link_that_asks_for_nothing_is_empty_and_texts_are_escaped() {
    assert_eq!(Link::default().to_query(), "");
    let link = Link {
        server: text("ws://[::1]:8080/"),
        stream: text("a&b=c\"<é+"),
        play: true,
        layout: Layout::Embed,
        ..Link::default()
    };
    assert_eq!(
        link.to_query(),
        "?server=ws://%5B::1%5D:8080/&stream=a%26b%3Dc%22%3C%C3%A9%2B&play=1&view=embed"
    );
}

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Text made of what is dangerous in a query, and of anything else.
    fn text(&mut self) -> String {
        let pieces = [
            "%",
            "%2",
            "%25",
            "+",
            "&",
            "=",
            "?",
            "#",
            " ",
            "é",
            "\u{10ffff}",
            "\u{0}",
            "play",
            "stream=",
            "a",
            "\"",
            "<",
            "/",
            "%ff",
            "\u{fffd}",
        ];
        (0..=self.below(12)).map(|_| self.pick(&pieces)).collect()
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut numbers = Numbers(1);
    for _ in 0..2_000 {
        let flags = [None, Some(false), Some(true)];
        let link = Link {
            server: (numbers.below(2) == 0).then(|| numbers.text()),
            stream: (numbers.below(2) == 0).then(|| numbers.text()),
            connect: numbers.below(2) == 0,
            play: numbers.below(2) == 0,
            publish: numbers.below(2) == 0,
            layout: numbers.pick(&[Layout::TwoWay, Layout::Player, Layout::Embed]),
            muted: numbers.pick(&flags),
            statistics: numbers.pick(&flags),
        };
        assert_eq!(Link::parse(&link.to_query()), link);
    }
}

#[test]
fn any_text_is_read_and_what_was_understood_is_stable() {
    let mut numbers = Numbers(2);
    let names = [
        "server=", "stream=", "play=", "view=", "muted=", "&", "=", "1", "0", "?",
    ];
    for _ in 0..2_000 {
        let mut query = String::new();
        for _ in 0..numbers.below(12) {
            query.push_str(numbers.pick(&names));
            query.push_str(&numbers.text());
        }
        let link = Link::parse(&query);
        assert_eq!(Link::parse(&link.to_query()), link, "{query}");
    }
}

#[test]
fn errands_are_run_once() {
    let mut errands = Errands::of(&Link::parse("play=1&publish=1"));
    assert!(errands.any());
    assert_eq!(
        errands.take().collect::<Vec<_>>(),
        [StreamRole::Publisher, StreamRole::Player]
    );
    assert_eq!((errands.any(), errands.take().count()), (false, 0));

    errands.want(StreamRole::Player);
    assert_eq!(errands.take().collect::<Vec<_>>(), [StreamRole::Player]);

    let mut errands = Errands::of(&Link::parse("publish=1"));
    errands.cancel();
    assert_eq!(errands.take().count(), 0);
}
