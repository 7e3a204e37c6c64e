//! The command as a report tells it: to be repeated, without saying where things lie
//! on this machine or which hosts it knows.

/// The command line, with files by their names and hosts left out.
pub(super) fn command(arguments: impl Iterator<Item = String>) -> String {
    let told = arguments.enumerate().map(|(index, argument)| match index {
        0 => "twoway-load".to_owned(),
        _ => quoted(&without_place(&argument)),
    });
    told.collect::<Vec<_>>().join(" ")
}

fn without_place(argument: &str) -> String {
    if let Some((before, _)) = argument.split_once("://") {
        return format!("{before}://…");
    }
    let (option, value) = match argument.split_once('=') {
        Some((option, value)) if option.starts_with("--") => (format!("{option}="), value),
        _ => (String::new(), argument),
    };
    let name = value.rsplit(['/', '\\']).next().unwrap_or(value);
    format!("{option}{name}")
}

fn quoted(argument: &str) -> String {
    if argument.contains(char::is_whitespace) {
        format!("\"{argument}\"")
    } else {
        argument.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn files_are_told_by_name_and_hosts_not_at_all() {
        let line = "/somewhere/deep/twoway-load bench --quick --program /opt/secret/server \
                    --json=../up/x.json --server other=ws://inside.example:1,pid=3";
        let told = super::command(line.split_whitespace().map(str::to_owned));
        let expected = "twoway-load bench --quick --program server --json=x.json --server \
                        other=ws://…";
        assert_eq!(told, expected);
    }
}
