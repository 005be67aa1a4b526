module pgplatform.local/versitygw

go 1.26.4

require github.com/versity/versitygw v1.8.0
