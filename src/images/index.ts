export { type BuildImageOptions, type BuiltImage, buildImage } from "./build.ts";
export { buildModelFetcherImage, modelFetcherImage } from "./model-fetcher-image.ts";
export { type BuildTestImageOptions, buildTestImage, type TestImage } from "./test-image.ts";
