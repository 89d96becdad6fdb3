module modelswitch.dev/model-fetcher

go 1.24
