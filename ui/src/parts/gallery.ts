/** Every part in every theme, for looking and for pictures. Development only: not part of the built window. */
import "@fontsource-variable/inter/opsz.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import { mount } from "svelte";
import "../app/tokens.css";
import "../app/base.css";
import Gallery from "./Gallery.svelte";

document.body.style.overflow = "auto";
document.documentElement.setAttribute("data-theme", new URLSearchParams(location.search).get("theme") ?? "light");
const target = document.getElementById("app");
if (target) mount(Gallery, { target });
