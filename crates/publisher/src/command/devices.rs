//! What there is to choose from, as tables or JSON.

use twoway_publisher::device::{CameraInfo, CameraMode, Devices};

use super::lines::on_one_line;

/// The whole list.
pub(crate) fn text(devices: &Devices, json: bool) -> String {
    if json {
        // Numbers and texts cannot fail to be JSON.
        let json = serde_json::to_string_pretty(devices).unwrap_or_default();
        return json + "\n";
    }
    let mut text = [
        section("Cameras (--camera)", &cameras(&devices.cameras)),
        section("Microphones (--microphone)", &microphones(devices)),
        section("Displays (--screen)", &displays(devices)),
        section("Windows (--window)", &windows(devices)),
    ]
    .join("\n");
    for note in &devices.notes {
        text += &format!("\nnote: {}\n", on_one_line(note));
    }
    text
}

fn section(heading: &str, lines: &[String]) -> String {
    let mut section = format!("{heading}\n");
    if lines.is_empty() {
        section += "  none\n";
    }
    for line in lines {
        section += &format!("  {}\n", on_one_line(line).trim_end());
    }
    section
}

fn cameras(cameras: &[CameraInfo]) -> Vec<String> {
    let rows = cameras.iter().map(|camera| {
        let CameraInfo {
            index, name, path, ..
        } = camera;
        [index.to_string(), name.clone(), path.clone()]
    });
    let mut lines = Vec::new();
    for (line, camera) in aligned(rows).into_iter().zip(cameras) {
        lines.push(line);
        lines.extend(camera.modes.iter().map(mode));
    }
    lines
}

/// `1280x720 MJPEG at 60, 30`.
fn mode(mode: &CameraMode) -> String {
    let CameraMode {
        format,
        width,
        height,
        fps,
    } = mode;
    let fps: Vec<String> = fps.iter().map(ToString::to_string).collect();
    let at = if fps.is_empty() { "" } else { " at " };
    format!("     {width}x{height} {format}{at}{}", fps.join(", "))
}

fn microphones(devices: &Devices) -> Vec<String> {
    aligned(devices.microphones.iter().map(|microphone| {
        [
            microphone.index.to_string(),
            microphone.name.clone(),
            microphone.id.clone(),
            remark(microphone.default, "default"),
        ]
    }))
}

fn displays(devices: &Devices) -> Vec<String> {
    aligned(devices.displays.iter().map(|display| {
        [
            display.index.to_string(),
            display.name.clone(),
            format!("{}x{}", display.width, display.height),
            remark(display.primary, "primary"),
        ]
    }))
}

fn windows(devices: &Devices) -> Vec<String> {
    aligned(devices.windows.iter().map(|window| {
        [
            window.id.to_string(),
            window.title.clone(),
            format!("{}x{}", window.width, window.height),
        ]
    }))
}

fn remark(applies: bool, remark: &str) -> String {
    if applies { remark } else { "" }.to_owned()
}

/// Rows as lines, their columns below each other.
fn aligned<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> Vec<String> {
    let rows: Vec<[String; N]> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use twoway_publisher::device::{DisplayInfo, MicrophoneInfo, WindowInfo};

    fn some() -> Devices {
        let mode = |format, fps| CameraMode {
            format,
            width: 1280,
            height: 720,
            fps,
        };
        let microphone = |index, name: &str, default| MicrophoneInfo {
            index,
            name: name.to_owned(),
            id: format!("hw:{index}"),
            default,
        };
        Devices {
            cameras: vec![CameraInfo {
                index: 0,
                name: "Integrated Camera".to_owned(),
                path: "/dev/video0".to_owned(),
                modes: vec![
                    mode("YUYV", vec![10]),
                    mode("MJPEG", vec![60, 30]),
                    mode("NV12", vec![]),
                ],
            }],
            microphones: vec![
                microphone(0, "Mikrofon für Töne", true),
                microphone(1, "USB", false),
            ],
            displays: vec![DisplayInfo {
                index: 0,
                name: "eDP-1".to_owned(),
                width: 1920,
                height: 1080,
                primary: true,
            }],
            windows: vec![WindowInfo {
                id: 42,
                title: "a\u{1b}[2Jb".to_owned(),
                width: 800,
                height: 600,
            }],
            notes: vec!["something cannot be listed".to_owned()],
        }
    }

    #[test]
    fn a_table_has_all_there_is() {
        let expected = "\
Cameras (--camera)
  0  Integrated Camera  /dev/video0
       1280x720 YUYV at 10
       1280x720 MJPEG at 60, 30
       1280x720 NV12

Microphones (--microphone)
  0  Mikrofon für Töne  hw:0  default
  1  USB                hw:1

Displays (--screen)
  0  eDP-1  1920x1080  primary

Windows (--window)
  42  a [2Jb  800x600

note: something cannot be listed
";
        assert_eq!(text(&some(), false), expected);
    }

    #[test]
    fn where_there_is_nothing_it_says_so() {
        let text = text(&Devices::default(), false);
        assert_eq!(text.matches("  none\n").count(), 4, "{text}");
    }

    #[test]
    fn machines_get_json() {
        let text = text(&some(), true);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["cameras"][0]["modes"][1]["fps"],
            serde_json::json!([60, 30])
        );
        assert_eq!(value["microphones"][0]["default"], true);
    }
}
