"use strict";
// One player in the whole page, or one in each element with data-player, whose value stands before
// the identities in it.
const startPlayer = (root, prefix) => {
  const element = (id) => document.getElementById(prefix + id);
  const data = JSON.parse(element("player-data").textContent);
  const frames = data.frames, joints = data.parents.length, rate = data.rate_hz;
  const seconds = frames / rate;
  const canvas = element("figures"), context = canvas.getContext("2d");
  const play = element("play"), scrub = element("scrub"), clock = element("clock");
  const now = element("now"), sound = element("sound"), speed = element("speed");
  const heads = [...root.querySelectorAll(".playhead")];
  const audios = [...root.querySelectorAll("audio")];

  const numbers = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return Float32Array.from(new Int16Array(bytes.buffer), (value) => value / data.scale);
  };
  const poses = { truth: numbers(data.truth), estimate: numbers(data.estimate) };
  poses.mean = numbers(data.mean);
  const world = data.world ? numbers(data.world) : null;
  const names = { truth: "Truth", estimate: "Estimate", mean: "Mean pose" };

  let mode = "apart", time = 0, playing = false, previous = 0;
  let yaw = 0.5, pitch = 0.14, colours = {};

  const readColours = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["truth", "estimate", "mean", "floor", "line", "text", "muted", "card"])
      colours[name] = style.getPropertyValue("--" + name).trim();
  };

  const frameAt = (t) => Math.min(frames - 1, Math.max(0, Math.floor(t * rate)));

  const project = (x, y, z, centre, base, scale) => {
    const across = x * Math.cos(yaw) + z * Math.sin(yaw);
    const depth = -x * Math.sin(yaw) + z * Math.cos(yaw);
    return [centre + across * scale,
      base - (y * Math.cos(pitch) - depth * Math.sin(pitch)) * scale];
  };

  const drawFloor = (centre, base, scale) => {
    context.fillStyle = colours.floor;
    context.beginPath();
    const radius = data.reach * 0.8;
    for (let step = 0; step <= 64; step++) {
      const angle = step / 64 * 2 * Math.PI;
      const point = project(radius * Math.cos(angle), 0, radius * Math.sin(angle),
        centre, base, scale);
      context[step ? "lineTo" : "moveTo"](...point);
    }
    context.fill();
  };

  const drawFigure = (name, frame, centre, base, scale, faint) => {
    const pose = poses[name], offset = frame * joints * 3;
    const at = (joint) => project(pose[offset + 3 * joint], pose[offset + 3 * joint + 1],
      pose[offset + 3 * joint + 2], centre, base, scale);
    context.strokeStyle = context.fillStyle = colours[name];
    context.globalAlpha = faint ? 0.32 : 1;
    context.lineWidth = Math.max(2.4, scale * (faint ? 0.28 : 0.42));
    context.lineCap = context.lineJoin = "round";
    context.setLineDash(name === "mean" ? [context.lineWidth * 1.2, context.lineWidth * 1.8] : []);
    context.beginPath();
    data.parents.forEach((parent, joint) => {
      if (parent < 0) return;
      context.moveTo(...at(parent));
      context.lineTo(...at(joint));
    });
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.arc(...at(data.head), scale * 1.05, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
  };

  const drawStage = (frame) => {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    const density = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * density)) canvas.width = Math.round(width * density);
    if (canvas.height !== Math.round(height * density)) canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    const panes = mode === "apart"
      ? [["truth"], ["estimate", "truth"], ["mean", "truth"]]
      : [["estimate", "mean", "truth"]];
    const slot = width / panes.length, base = height - 46;
    const scale = Math.min((height - 96) / data.height, slot * 0.94 / (2 * data.reach));
    panes.forEach((pane, index) => {
      const centre = slot * (index + 0.5);
      drawFloor(centre, base, scale);
      if (mode === "apart") {
        for (const name of pane.slice(1)) drawFigure(name, frame, centre, base, scale, true);
        drawFigure(pane[0], frame, centre, base, scale, false);
        context.fillStyle = colours.text;
        context.textAlign = "center";
        context.font = "600 14px " + getComputedStyle(document.body).fontFamily;
        context.fillText(names[pane[0]], centre, 28);
      } else {
        drawFigure("mean", frame, centre, base, scale, true);
        drawFigure("truth", frame, centre, base, scale, false);
        drawFigure("estimate", frame, centre, base, scale, false);
      }
    });
  };

  const drawPlan = (frame) => {
    if (!world) return;
    const offset = frame * joints * 3;
    for (const group of root.querySelectorAll(".plan [data-axes]")) {
      const [a, b, flip, scale, left, top] = group.dataset.axes.split(" ").map(Number);
      [...group.children].forEach((bone) => {
        const set = (joint, x, y) => {
          const first = world[offset + 3 * joint + a], second = world[offset + 3 * joint + b];
          bone.setAttribute(x, (left + first * scale).toFixed(1));
          bone.setAttribute(y, (top + (flip ? flip - second : second) * scale).toFixed(1));
        };
        set(Number(bone.dataset.from), "x1", "y1");
        set(Number(bone.dataset.to), "x2", "y2");
      });
    }
  };

  const show = () => {
    const frame = frameAt(time);
    drawStage(frame);
    drawPlan(frame);
    const share = Math.min(100, time / seconds * 100) + "%";
    for (const head of heads) head.style.left = share;
    scrub.value = String(time);
    const text = `${time.toFixed(1)} / ${seconds.toFixed(1)} s`;
    clock.textContent = text;
    scrub.setAttribute("aria-valuetext", text);
    const activity = data.activities.length ? data.activities[frame] : "";
    now.innerHTML = `error <b>${data.error[frame].toFixed(2)}</b> · mean pose ` +
      `<i>${data.mean_error[frame].toFixed(2)}</i>`;
    if (activity) now.append(` · ${activity}`);
  };

  const chosen = () => element(sound.value);
  const follow = (audio) => { if (audio && Math.abs(audio.currentTime - time) > 0.12)
    audio.currentTime = time; };
  const seek = (t) => {
    time = Math.min(seconds, Math.max(0, t));
    follow(chosen());
    show();
  };
  const stop = () => {
    playing = false;
    play.textContent = "▶ Play";
    for (const audio of audios) audio.pause();
  };
  const start = () => {
    if (time >= seconds - 0.05) time = 0;
    playing = true;
    previous = performance.now();
    play.textContent = "❚❚ Pause";
    const audio = chosen();
    if (audio) {
      audio.playbackRate = Number(speed.value);
      follow(audio);
      audio.play().catch(() => {});
    }
    requestAnimationFrame(step);
  };
  const step = (stamp) => {
    if (!playing) return;
    const audio = chosen();
    if (audio && !audio.paused && audio.readyState > 2) time = audio.currentTime;
    else time += (stamp - previous) / 1000 * Number(speed.value);
    previous = stamp;
    if (time >= seconds) { time = seconds; stop(); }
    show();
    if (playing) requestAnimationFrame(step);
  };

  play.addEventListener("click", () => (playing ? stop() : start()));
  scrub.addEventListener("input", () => seek(Number(scrub.value)));
  sound.addEventListener("change", () => { const was = playing; stop(); if (was) start(); });
  speed.addEventListener("change", () => { const audio = chosen();
    if (audio) audio.playbackRate = Number(speed.value); });
  for (const button of root.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => {
      mode = button.dataset.mode;
      for (const other of root.querySelectorAll("[data-mode]"))
        other.setAttribute("aria-pressed", String(other === button));
      show();
    });
  }
  for (const track of root.querySelectorAll(".lane .track")) {
    track.addEventListener("pointerdown", (event) => {
      const box = track.getBoundingClientRect();
      seek((event.clientX - box.left) / box.width * seconds);
    });
  }
  for (const audio of audios) {
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      if (playing) return;
      sound.value = audio.id.slice(prefix.length);
      time = Math.min(audio.currentTime, seconds);
      start();
    });
    audio.addEventListener("pause", () => { if (playing && audio === chosen()) stop(); });
    audio.addEventListener("seeking", () => {
      if (!playing && audio === chosen()) { time = Math.min(audio.currentTime, seconds); show(); }
    });
  }
  let grip = null;
  canvas.addEventListener("pointerdown", (event) => {
    grip = [event.clientX, yaw];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    yaw = grip[1] + (event.clientX - grip[0]) * 0.01;
    show();
  });
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, () => { grip = null; });
  canvas.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: -0.15, ArrowRight: 0.15 }[event.key];
    if (turn) yaw += turn;
    else if (event.key === "ArrowUp") pitch = Math.min(0.9, pitch + 0.08);
    else if (event.key === "ArrowDown") pitch = Math.max(0, pitch - 0.08);
    else if (event.key === " ") play.click();
    else return;
    event.preventDefault();
    show();
  });
  const recolour = () => { readColours(); show(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new ResizeObserver(show).observe(canvas);
  time = data.start_s;
  recolour();
  if (canvas.clientWidth < 560) root.querySelector('[data-mode="over"]').click();
};
const roots = document.querySelectorAll("[data-player]");
for (const root of roots) startPlayer(root, root.dataset.player);
if (!roots.length) startPlayer(document, "");
