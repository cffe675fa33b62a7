module perfskew.example/samples

go 1.18
