module pgplatform.local/strict-store

go 1.26.4
