import "@fontsource-variable/inter/opsz.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import { mount } from "svelte";
import App from "./App.svelte";
import "./tokens.css";
import "./base.css";
import { loadSettings } from "./frame.svelte";

await loadSettings();
const target = document.getElementById("app");
if (target) mount(App, { target });
