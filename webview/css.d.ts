/** @file Style sheets are imported for their effect: the build gathers them into dist/webview/main.css. */
declare module '*.css';
