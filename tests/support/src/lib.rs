//! What Egret's tests and chores share: frames, captures and scenarios with their truth.
