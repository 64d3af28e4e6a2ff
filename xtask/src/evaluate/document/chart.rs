//! Charts as SVG: points with intervals, lines, two axes. Colours follow what the reader prefers, light or
//! dark; each series has a marker of its own, so that none needs its colour.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
/// The plot's edges.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 728.0;
const TOP: f64 = 78.0;
const BOTTOM: f64 = 376.0;

/// Okabe and Ito's colours, which most people can tell apart, lighter on dark ground.
const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }\n\
    .title { font-weight: 600; font-size: 15px }\n\
    .ground { fill: #ffffff }\n\
    .grid { stroke: #d1d9e0; stroke-width: 1 }\n\
    .axis { stroke: #59636e; stroke-width: 1 }\n\
    .line { fill: none; stroke-width: 2 }\n\
    .dashed { stroke-dasharray: 6 4; stroke-width: 1.5 }\n\
    .s0 { stroke: #0072b2; color: #0072b2 }\n\
    .s1 { stroke: #c04a00; color: #c04a00 }\n\
    .s2 { stroke: #00795a; color: #00795a }\n\
    .s3 { stroke: #a3457f; color: #a3457f }\n\
    .r { stroke: #59636e; color: #59636e }\n\
    .mark { fill: currentColor }\n\
    @media (prefers-color-scheme: dark) {\n\
    text { fill: #f0f6fc }\n\
    .ground { fill: #0d1117 }\n\
    .grid { stroke: #30363d }\n\
    .axis, .r { stroke: #9198a1; color: #9198a1 }\n\
    .s0 { stroke: #56b4e9; color: #56b4e9 }\n\
    .s1 { stroke: #ff8b3d; color: #ff8b3d }\n\
    .s2 { stroke: #2fc59b; color: #2fc59b }\n\
    .s3 { stroke: #e49ac7; color: #e49ac7 }\n\
    }\n";

/// A chart.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What can be read from it, for those who do not see it.
    pub(super) description: &'a str,
    pub(super) x: Axis<'a>,
    pub(super) y: Axis<'a>,
    pub(super) series: Vec<Series<'a>>,
}

/// An axis from its first tick to its last.
pub(super) struct Axis<'a> {
    /// What is shown, with its unit.
    pub(super) label: &'a str,
    pub(super) is_logarithmic: bool,
    /// Values and what is written there, ascending; at least two.
    pub(super) ticks: Vec<(f64, String)>,
}

/// What belongs together.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) look: Look,
    pub(super) points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Markers with intervals.
    Points,
    /// The same, joined by a line.
    Joined,
    /// A dashed line to compare with.
    Reference,
}

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Axis<'_> {
    /// Where a value is between the axis's ends, 0 to 1; what lies outside is at the end.
    fn place(&self, value: f64) -> f64 {
        let on = |value: f64| if self.is_logarithmic { value.ln() } else { value };
        let (Some((first, _)), Some((last, _))) = (self.ticks.first(), self.ticks.last()) else {
            return 0.0;
        };
        let (first, last) = (on(*first), on(*last));
        ((on(value) - first) / (last - first)).clamp(0.0, 1.0)
    }
}

impl Chart<'_> {
    /// The whole SVG file.
    pub(super) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
            escaped(self.title),
            escaped(self.description),
        );
        text(&mut svg, (LEFT, 24.0), "class=\"title\"", self.title);
        self.axes(&mut svg);
        self.legend(&mut svg);
        for (series, class) in self.series.iter().zip(self.classes()) {
            self.draw(&mut svg, series, &class);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// References are grey; the others are counted.
    fn classes(&self) -> Vec<String> {
        let mut number = 0..;
        let class = |series: &Series<'_>| match series.look {
            Look::Reference => "r".into(),
            _ => format!("s{}", number.next().unwrap_or(0)),
        };
        self.series.iter().map(class).collect()
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (LEFT + self.x.place(x) * (RIGHT - LEFT), BOTTOM - self.y.place(y) * (BOTTOM - TOP))
    }

    fn axes(&self, svg: &mut String) {
        for (value, label) in &self.x.ticks {
            let x = LEFT + self.x.place(*value) * (RIGHT - LEFT);
            line(svg, "grid", (x, TOP), (x, BOTTOM));
            text(svg, (x, BOTTOM + 20.0), "text-anchor=\"middle\"", label);
        }
        for (value, label) in &self.y.ticks {
            let y = BOTTOM - self.y.place(*value) * (BOTTOM - TOP);
            line(svg, "grid", (LEFT, y), (RIGHT, y));
            text(svg, (LEFT - 8.0, y + 4.5), "text-anchor=\"end\"", label);
        }
        line(svg, "axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
        line(svg, "axis", (LEFT, TOP), (LEFT, BOTTOM));
        let middle = f64::midpoint(LEFT, RIGHT);
        text(svg, (middle, BOTTOM + 46.0), "text-anchor=\"middle\"", self.x.label);
        let middle = f64::midpoint(TOP, BOTTOM);
        let turned = format!("text-anchor=\"middle\" transform=\"rotate(-90 18 {middle})\"");
        text(svg, (18.0, middle), &turned, self.y.label);
    }

    fn legend(&self, svg: &mut String) {
        /// About what a character takes.
        const CHARACTER: f64 = 7.0;
        let mut x = LEFT;
        for (series, class) in self.series.iter().zip(self.classes()) {
            let y = 50.0;
            if series.look != Look::Points {
                let dashed = if series.look == Look::Reference { " dashed" } else { "" };
                line(svg, &format!("line {class}{dashed}"), (x, y), (x + 24.0, y));
            }
            if series.look != Look::Reference {
                marker(svg, &class, (x + 12.0, y));
            }
            text(svg, (x + 31.0, y + 4.5), "", series.name);
            x += 31.0 + series.name.chars().count() as f64 * CHARACTER + 18.0;
        }
    }

    fn draw(&self, svg: &mut String, series: &Series<'_>, class: &str) {
        let places: Vec<(f64, f64)> =
            series.points.iter().map(|point| self.at(point.x, point.y)).collect();
        if series.look != Look::Points {
            let dashed = if series.look == Look::Reference { " dashed" } else { "" };
            let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline class=\"line {class}{dashed}\" points=\"{}\"/>",
                path.join(" ")
            );
        }
        if series.look == Look::Reference {
            return;
        }
        for (point, (x, y)) in series.points.iter().zip(places) {
            let (_, low) = self.at(point.x, point.low);
            let (_, high) = self.at(point.x, point.high);
            line(svg, class, (x, low), (x, high));
            line(svg, class, (x - 4.0, low), (x + 4.0, low));
            line(svg, class, (x - 4.0, high), (x + 4.0, high));
            marker(svg, class, (x, y));
        }
    }
}

/// A circle, a square, a triangle, a diamond: one a series.
fn marker(svg: &mut String, class: &str, (x, y): (f64, f64)) {
    let path = match class {
        "s0" => format!("M{:.1},{y:.1} a5,5 0 1,0 10,0 a5,5 0 1,0 -10,0 z", x - 5.0),
        "s1" => format!("M{:.1},{:.1} h9 v9 h-9 z", x - 4.5, y - 4.5),
        "s2" => format!("M{x:.1},{:.1} l6,10 h-12 z", y - 6.0),
        _ => format!("M{x:.1},{:.1} l6,6 -6,6 -6,-6 z", y - 6.0),
    };
    let _ = writeln!(svg, "<path class=\"mark {class}\" d=\"{path}\"/>");
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), attributes: &str, content: &str) {
    let space = if attributes.is_empty() { "" } else { " " };
    let content = escaped(content);
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{space}{attributes}>{content}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart<'static> {
        let ticks = |values: [f64; 3]| values.map(|value| (value, value.to_string())).to_vec();
        Chart {
            title: "a < b",
            description: "what it shows",
            x: Axis { label: "bytes", is_logarithmic: true, ticks: ticks([1.0, 10.0, 100.0]) },
            y: Axis { label: "share", is_logarithmic: false, ticks: ticks([0.0, 0.5, 1.0]) },
            series: vec![Series {
                name: "one",
                look: Look::Joined,
                points: vec![Point { x: 10.0, y: 0.5, low: 0.25, high: 2.0 }],
            }],
        }
    }

    #[test]
    fn points_are_where_the_axes_say() {
        let chart = chart();
        assert_eq!(chart.at(1.0, 0.0), (LEFT, BOTTOM));
        assert_eq!(chart.at(10.0, 0.5), (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM)));
        assert_eq!(chart.at(1000.0, 2.0), (RIGHT, TOP), "what lies outside is at the end");
        assert_eq!(chart.at(0.0, 0.0), (LEFT, BOTTOM), "no logarithm of nothing");
    }

    #[test]
    fn the_file_is_whole_and_what_is_written_is_escaped() {
        let svg = chart().svg();
        assert!(svg.contains("<text x=\"78.0\" y=\"24.0\" class=\"title\">a &lt; b</text>"));
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }
}
