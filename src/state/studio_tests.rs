//! Walks the studio the way the driver does.

use super::*;

fn found(label: &str) -> Option<Found> {
    Some(Found {
        label: label.to_owned(),
        instead: false,
        of_phone: false,
    })
}

fn device(kind: DeviceKind, id: &str) -> Device {
    Device {
        kind,
        id: id.to_owned(),
        label: id.to_uppercase(),
    }
}

fn list() -> Vec<Device> {
    vec![
        device(DeviceKind::Camera, "a"),
        device(DeviceKind::Camera, "b"),
        device(DeviceKind::Microphone, "m"),
    ]
}

fn ask(studio: &Studio) -> Ask {
    match studio.next() {
        Some(Step::Open(ask)) => ask,
        step => panic!("{step:?}"),
    }
}

/// A studio with camera and microphone on, as they are after "Camera".
fn on() -> Studio {
    let mut studio = Studio::default();
    studio.press(CapturePress::Camera);
    let ask = ask(&studio);
    studio.opened(&ask, found("M"), found("A"));
    studio.listed(list());
    studio
}

fn chosen_camera(studio: &Studio, id: &str) -> Capture {
    Capture {
        camera: Some(id.to_owned()),
        ..studio.wishes().clone()
    }
}

/// Fails what is to be done next.
fn fail(studio: &mut Studio, problem: MediaProblem) {
    let step = studio.next().unwrap();
    studio.failed(&step, problem, "it is busy");
}

#[test]
fn camera_and_microphone_are_opened_together_and_closed() {
    let mut studio = Studio::default();
    assert_eq!(studio.next(), None);
    studio.press(CapturePress::Camera);
    let ask = ask(&studio);
    assert!(ask.microphone.is_some() && ask.camera.is_some());
    // The list may come before the answer.
    studio.listed(list()[..1].to_vec());
    studio.opened(&ask, found("M"), found("A"));
    assert_eq!(studio.next(), None);
    assert_eq!(studio.notice(), "");
    studio.listed(list());
    assert_eq!((studio.next(), studio.notice()), (None, ""));

    studio.press(CapturePress::Camera);
    for kind in [MediaKind::Sound, MediaKind::Picture] {
        assert_eq!(studio.next(), Some(Step::Close(kind)));
        studio.closed(kind);
    }
    assert_eq!(studio.next(), None);
}

#[test]
fn another_device_or_size_is_one_step() {
    let mut studio = on();
    studio.wish(chosen_camera(&studio, "b"));
    let ask = ask(&studio);
    assert_eq!(ask.microphone, None);
    assert_eq!(ask.camera.as_ref().unwrap().device.as_deref(), Some("b"));
    studio.opened(&ask, None, found("B"));
    assert_eq!(studio.next(), None);

    let height = 360;
    studio.wish(Capture {
        height,
        ..studio.wishes().clone()
    });
    let size = Size {
        height,
        frame_rate: 30,
    };
    assert_eq!(studio.next(), Some(Step::Resize(size)));
    studio.resized(size);
    assert_eq!(studio.next(), None);
}

#[test]
fn what_cannot_be_changed_stays_and_is_told() {
    let mut studio = on();
    studio.wish(chosen_camera(&studio, "b"));
    fail(&mut studio, MediaProblem::Busy);
    assert_eq!(studio.next(), None);
    assert_eq!(studio.wishes().camera, None);
    assert_eq!(studio.notice(), "The camera was not changed: it is busy");
    assert_eq!(studio.advice(), MediaProblem::Busy.advice());

    studio.wish(Capture {
        frame_rate: 60,
        ..studio.wishes().clone()
    });
    assert_eq!(studio.advice(), "");
    fail(&mut studio, MediaProblem::Unsuitable);
    assert_eq!((studio.wishes().frame_rate, studio.next()), (30, None));
}

#[test]
fn a_phones_camera_makes_room_for_the_other_one() {
    let of_phone = |label: &str| {
        found(label).map(|found| Found {
            of_phone: true,
            ..found
        })
    };
    let mut studio = Studio::default();
    studio.want();
    studio.opened(&ask(&studio), None, of_phone("A"));
    studio.listed(list());
    studio.given_up.sound = true;
    studio.wish(chosen_camera(&studio, "b"));
    studio.given_up.sound = true;
    fail(&mut studio, MediaProblem::Busy);
    assert!(!studio.kinds().picture && studio.is_on());
    let again = ask(&studio);
    assert_eq!(again.camera.as_ref().unwrap().device.as_deref(), Some("b"));

    // The other one fails even so: back to the first.
    let mut failing = studio.clone();
    fail(&mut failing, MediaProblem::Busy);
    assert_eq!(ask(&failing).camera, Some(Wish::default()));
    assert!(failing.notice().contains("was not changed"));
    fail(&mut failing, MediaProblem::Busy);
    assert_eq!((failing.next(), failing.is_on()), (None, false));

    studio.opened(&again, None, of_phone("B"));
    assert_eq!(studio.next(), None);
}

#[test]
fn a_refusal_turns_all_off_until_the_next_press() {
    let mut studio = Studio::default();
    studio.want();
    fail(&mut studio, MediaProblem::Blocked);
    assert!(!studio.is_on());
    assert_eq!(studio.next(), None);
    assert_eq!(studio.notice(), "It is busy");
    assert_eq!(studio.advice(), MediaProblem::Blocked.advice());
    studio.permitted();
    assert!(studio.notice().contains("allowed now"));
    studio.want();
    assert!(matches!(studio.next(), Some(Step::Open(_))));
}

#[test]
fn the_kind_that_exists_is_enough() {
    let mut studio = Studio::default();
    studio.want();
    let ask = ask(&studio);
    studio.opened(&ask, None, found("A"));
    assert_eq!(studio.next(), None);
    assert!(studio.kinds().picture && !studio.kinds().sound);
    assert_eq!(
        studio.notice(),
        "No microphone was found: only the picture is sent"
    );
    // What was not offered cannot join; before and after it can.
    studio.offer(true);
    studio.listed(list());
    assert_eq!(studio.next(), None);
    studio.offer(false);
    assert!(matches!(studio.next(), Some(Step::Open(_))));
}

#[test]
fn a_device_that_vanishes_is_replaced_and_comes_back() {
    let mut studio = on();
    studio.wish(chosen_camera(&studio, "b"));
    let first = ask(&studio);
    studio.opened(&first, None, found("B"));
    studio.offer(true);

    studio.ended(MediaKind::Picture);
    assert_eq!(
        studio.notice(),
        "The camera \u{201c}B\u{201d} was disconnected"
    );
    let mut rest = list();
    rest.retain(|device| device.id != "b");
    studio.listed(rest);
    let second = ask(&studio);
    assert_eq!(second.camera, Some(Wish::default()));
    assert_eq!(second.microphone, None);
    studio.opened(&second, None, found("A"));
    assert_eq!(studio.next(), None);
    assert_eq!(
        studio.notice(),
        "The camera \u{201c}B\u{201d} was disconnected. The camera is now \u{201c}A\u{201d}"
    );
    assert_eq!(studio.wishes().camera.as_deref(), Some("b"), "remembered");

    studio.listed(list());
    let back = ask(&studio);
    assert_eq!(back.camera.as_ref().unwrap().device.as_deref(), Some("b"));
    studio.opened(&back, None, found("B"));
    assert_eq!(studio.notice(), "The camera is now \u{201c}B\u{201d}");
    assert_eq!(studio.next(), None);
}

#[test]
fn the_last_device_that_vanishes_leaves_the_rest_on() {
    let mut studio = on();
    studio.offer(true);
    studio.ended(MediaKind::Sound);
    fail(&mut studio, MediaProblem::Missing);
    assert_eq!(studio.next(), None);
    assert!(studio.is_on() && studio.kinds().picture);
    assert_eq!(
        studio.notice(),
        "The microphone \u{201c}M\u{201d} was disconnected, and there is no other: it is busy"
    );
    let mut more = list();
    more.push(device(DeviceKind::Microphone, "n"));
    studio.listed(more);
    assert!(matches!(studio.next(), Some(Step::Open(_))));
}

#[test]
fn a_remembered_device_that_is_not_there_is_asked_for_once() {
    let mut studio = Studio::default();
    studio.wish(chosen_camera(&studio, "gone"));
    studio.want();
    let ask = ask(&studio);
    assert_eq!(ask.camera.as_ref().unwrap().device.as_deref(), Some("gone"));
    let instead = Some(Found {
        label: "A".to_owned(),
        instead: true,
        of_phone: false,
    });
    studio.opened(&ask, found("M"), instead);
    studio.listed(list());
    assert_eq!(studio.next(), None);
    assert_eq!(studio.wishes().camera.as_deref(), Some("gone"));
}

#[test]
fn a_screen_takes_the_cameras_place_and_gives_it_back() {
    let mut studio = on();
    assert!(studio.is_mirrored());
    studio.press(CapturePress::Screen);
    assert_eq!(studio.next(), Some(Step::Share));
    studio.shared();
    assert_eq!(studio.next(), None);
    assert!(studio.is_sharing() && !studio.is_mirrored());
    assert!(studio.kinds().sound);

    studio.ended(MediaKind::Picture);
    assert_eq!(studio.notice(), "The screen is not shared any more");
    let ask = ask(&studio);
    assert_eq!(
        (ask.microphone, ask.camera.clone()),
        (None, Some(Wish::default()))
    );
}

#[test]
fn a_screen_can_be_shared_without_a_camera_and_refused() {
    let mut studio = Studio::default();
    studio.press(CapturePress::Screen);
    fail(&mut studio, MediaProblem::Dismissed);
    assert_eq!(studio.notice(), "No screen was shared");
    assert_eq!((studio.is_sharing(), studio.next()), (false, None));

    studio.press(CapturePress::Screen);
    studio.shared();
    assert_eq!(studio.next(), None);
    studio.want();
    let ask = ask(&studio);
    assert!(ask.microphone.is_some() && ask.camera.is_none());
    studio.opened(&ask, found("M"), None);
    assert_eq!(studio.next(), None);
}

#[test]
fn a_screen_ended_for_a_camera_that_cannot_be_had_goes_off() {
    let mut studio = on();
    studio.press(CapturePress::Screen);
    studio.shared();
    studio.press(CapturePress::Screen);
    fail(&mut studio, MediaProblem::Busy);
    assert_eq!(studio.next(), Some(Step::Close(MediaKind::Picture)));
    studio.closed(MediaKind::Picture);
    assert_eq!(studio.next(), None);
    assert!(studio.kinds().sound);
}

#[test]
fn mutes_outlive_everything() {
    let mut studio = on();
    studio.press(CapturePress::Mute(MediaKind::Sound));
    studio.press(CapturePress::Screen);
    studio.shared();
    studio.end();
    assert!(studio.muted().sound && !studio.muted().picture);
    studio.press(CapturePress::Mute(MediaKind::Sound));
    assert_eq!(studio.muted(), Kinds::default());
}

#[test]
fn waiting_is_told_while_it_lasts() {
    let mut studio = Studio::default();
    studio.want();
    studio.waiting(true);
    assert!(studio.notice().starts_with("Waiting for permission"));
    studio.waiting(false);
    assert_eq!(studio.notice(), "");
}
