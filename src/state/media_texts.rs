//! What the page says when the browser gives no camera, microphone or screen,
//! and what to do about it.

use super::DeviceKind;

/// Why the browser gives no camera and microphone (Media Capture and Streams,
/// section 10.2.1, and what the Permissions API adds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaProblem {
    /// The page is neither from `https:` nor from localhost.
    InsecurePage,
    /// The user, or an administrator, blocks the page.
    Blocked,
    /// The browser's question was closed without an answer.
    Dismissed,
    /// The page is in an `<iframe>` that is not allowed to capture.
    Policy,
    /// The browser may, but the operating system does not let it.
    System,
    /// There is no such device.
    Missing,
    /// Another program holds it, or it is broken.
    Busy,
    /// No device fits what was asked for.
    Unsuitable,
    /// The device gave up.
    Aborted,
    /// The browser cannot do this at all.
    Unsupported,
    /// Anything else.
    Unknown,
}

/// What the Permissions API says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// The user is asked each time.
    Ask,
    /// Given.
    Granted,
    /// Refused for good.
    Denied,
    /// This browser does not tell.
    Unknown,
}

impl MediaProblem {
    /// Sorts an exception of `getUserMedia` by its name. The last two tell one
    /// refusal from another: the state of the permissions, and whether the
    /// document may capture at all.
    pub fn of(name: &str, permission: Permission, allowed_by_policy: bool) -> Self {
        match name {
            "NotAllowedError" | "PermissionDeniedError" if !allowed_by_policy => Self::Policy,
            "NotAllowedError" | "PermissionDeniedError" => match permission {
                Permission::Granted => Self::System,
                Permission::Ask => Self::Dismissed,
                Permission::Denied | Permission::Unknown => Self::Blocked,
            },
            "NotFoundError" | "DevicesNotFoundError" => Self::Missing,
            "NotReadableError" | "TrackStartError" => Self::Busy,
            "OverconstrainedError" | "ConstraintNotSatisfiedError" => Self::Unsuitable,
            "SecurityError" => Self::InsecurePage,
            "AbortError" => Self::Aborted,
            "TypeError" | "NotSupportedError" => Self::Unsupported,
            _ => Self::Unknown,
        }
    }

    /// What is wrong, in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::InsecurePage => {
                "the camera is only given to pages opened over https or from localhost"
            }
            Self::Blocked => "permission for camera and microphone was refused",
            Self::Dismissed => "the question for camera and microphone was closed",
            Self::Policy => "the page around this one does not let it use camera and microphone",
            Self::System => "the operating system keeps camera or microphone from the browser",
            Self::Missing => "no camera or microphone was found",
            Self::Busy => "the camera or microphone cannot be used",
            Self::Unsuitable => "no camera or microphone fits the settings",
            Self::Aborted => "the camera or microphone stopped while it was being opened",
            Self::Unsupported => "this browser gives pages no camera and microphone",
            Self::Unknown => "the camera or microphone could not be opened",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::InsecurePage => {
                "Open this page by its https:// address, or on this computer by http://localhost."
            }
            Self::Blocked => {
                "Press the camera or lock symbol beside the page\u{2019}s address, allow camera and \
                 microphone, and try again."
            }
            Self::Dismissed => "Try again and choose \u{201c}Allow\u{201d}.",
            Self::Policy => {
                "Open this page in a tab of its own, or give its <iframe> the attribute \
                 allow=\"camera; microphone\"."
            }
            Self::System => {
                "Let the browser use camera and microphone in the privacy settings of your \
                 system, then try again."
            }
            Self::Missing => "Plug in a camera or a microphone; the page notices by itself.",
            Self::Busy => {
                "Close other programs and tabs that use the camera, or choose another device \
                 below; then try again."
            }
            Self::Unsuitable => "Choose another device or a smaller picture below.",
            Self::Aborted => "Unplug the device, plug it in and try again.",
            Self::Unsupported => "Use a current Chrome, Edge, Firefox or Safari.",
            Self::Unknown => "Try again; if that does not help, restart the browser.",
        }
    }
}

/// Said while the browser waits for the user.
pub(super) const WAITING: &str = "Waiting for permission: answer the browser\u{2019}s question";
/// Said when a refused permission was given after all.
pub(super) const PERMITTED: &str = "Camera and microphone are allowed now: press \u{201c}Publish\u{201d} or \u{201c}Camera\u{201d}";
/// Said when the user, or the system, does not share a screen.
pub(super) const NO_SCREEN: &str = "No screen was shared";
/// Said when the shared screen is over.
pub(super) const SCREEN_ENDED: &str = "The screen is not shared any more";

/// Said of a device that vanished.
pub(super) fn vanished(kind: DeviceKind, label: &str) -> String {
    if label.is_empty() {
        format!("The {} was disconnected", kind.word())
    } else {
        format!(
            "The {} \u{201c}{label}\u{201d} was disconnected",
            kind.word()
        )
    }
}

/// Said of a kind of which there is no device.
pub(super) fn missing(kind: DeviceKind) -> String {
    let rest = match kind {
        DeviceKind::Camera => "only sound is sent",
        DeviceKind::Microphone | DeviceKind::Speaker => "only the picture is sent",
    };
    format!("No {} was found: {rest}", kind.word())
}

/// Said of the device in use, after another one.
pub(super) fn now_in_use(kind: DeviceKind, label: &str) -> String {
    format!("The {} is now \u{201c}{label}\u{201d}", kind.word())
}

/// Said when another device or size cannot be had.
pub(super) fn kept(kind: DeviceKind, reason: &str) -> String {
    format!("The {} was not changed: {reason}", kind.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems() {
        let check = |name: &str, permission, allowed, expected: MediaProblem| {
            let problem = MediaProblem::of(name, permission, allowed);
            assert_eq!(problem, expected, "{name} {permission:?} {allowed}");
            assert!(!problem.text().is_empty() && problem.advice().ends_with('.'));
        };
        use Permission::{Ask, Denied, Granted, Unknown};
        check("NotAllowedError", Denied, true, MediaProblem::Blocked);
        check("NotAllowedError", Unknown, true, MediaProblem::Blocked);
        check("NotAllowedError", Ask, true, MediaProblem::Dismissed);
        check("NotAllowedError", Granted, true, MediaProblem::System);
        check("NotAllowedError", Denied, false, MediaProblem::Policy);
        check("NotFoundError", Ask, true, MediaProblem::Missing);
        check("NotReadableError", Granted, true, MediaProblem::Busy);
        check("OverconstrainedError", Ask, true, MediaProblem::Unsuitable);
        check("SecurityError", Unknown, true, MediaProblem::InsecurePage);
        check("AbortError", Granted, true, MediaProblem::Aborted);
        check("TypeError", Ask, true, MediaProblem::Unsupported);
        check("OddError", Ask, true, MediaProblem::Unknown);
    }

    #[test]
    fn sentences() {
        assert_eq!(
            vanished(DeviceKind::Camera, ""),
            "The camera was disconnected"
        );
        assert_eq!(
            vanished(DeviceKind::Microphone, "Desk"),
            "The microphone \u{201c}Desk\u{201d} was disconnected"
        );
        assert_eq!(
            missing(DeviceKind::Camera),
            "No camera was found: only sound is sent"
        );
    }
}
