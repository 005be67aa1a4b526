module pgplatform.local/zalando-operator

go 1.26.4

require github.com/zalando/postgres-operator v1.15.1
