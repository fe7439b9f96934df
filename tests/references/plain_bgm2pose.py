"""BGM2Pose's encoder as one would write it first: plain PyTorch, nothing tuned.

Contiguous `batch channel frame bin` memory, attention weights written out for all bins, one module
after the other. Its parameters have the names of `bgm2pose-fa`, whose weights load as they are;
defaults of that encoder's settings only.
"""

import torch
from torch import nn
from torch.nn.functional import dropout


def block(input_count, output_count):
    layers = []
    for count in (input_count, output_count):
        layers += [
            nn.Conv2d(count, output_count, 3, padding=1),
            nn.LeakyReLU(0.01),
            nn.BatchNorm2d(output_count),
        ]
    return nn.Sequential(*layers)


def frame_block(input_count, output_count, kernel):
    return nn.Sequential(
        nn.Conv1d(input_count, output_count, kernel, padding=kernel // 2),
        nn.LeakyReLU(0.01),
        nn.BatchNorm1d(output_count),
    )


class PlainAttention(nn.Module):
    """Attention over the bins of each frame; weights are one tensor `item head bin bin`."""

    def __init__(self, channel_count, bin_count, heads, dropout_share):
        super().__init__()
        self.heads = heads
        self.dropout_share = dropout_share
        self.embedding = nn.Parameter(torch.zeros(bin_count, channel_count))
        self.to_query = nn.Linear(channel_count, channel_count)
        self.to_key = nn.Linear(channel_count, channel_count, bias=False)
        self.to_value = nn.Linear(channel_count, channel_count)
        self.to_output = nn.Linear(channel_count, channel_count)

    def forward(self, recording, playback):
        batch, channels, frames, bins = recording.shape
        heard = recording.permute(0, 2, 3, 1).reshape(batch * frames, bins, channels)
        sent = playback.permute(0, 2, 3, 1).reshape(batch * frames, bins, channels)
        heard, sent = heard + self.embedding, sent + self.embedding
        query, key, value = self.to_query(heard), self.to_key(sent), self.to_value(sent)
        query, key, value = (
            x.reshape(batch * frames, bins, self.heads, -1).transpose(1, 2)
            for x in (query, key, value)
        )
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        weights = dropout(scores.softmax(dim=-1), self.dropout_share, self.training)
        mixed = (weights @ value).transpose(1, 2).reshape(batch * frames, bins, channels)
        added = self.to_output(mixed).reshape(batch, frames, bins, channels).permute(0, 3, 1, 2)
        return recording + added


class PlainDecoder(nn.Module):
    """U-Net over 12 frames and four convolutions."""

    def __init__(self, count):
        super().__init__()
        self.entry = frame_block(count, count, 3)
        self.down = nn.ModuleList([frame_block(count, count, 3) for _ in range(2)])
        self.up = nn.ModuleList([nn.ConvTranspose1d(count, count, 2, stride=2) for _ in range(2)])
        self.join = nn.ModuleList([frame_block(2 * count, count, 3) for _ in range(2)])
        self.tail = nn.Sequential(*[frame_block(count, count, 3) for _ in range(4)])
        self.pool = nn.MaxPool1d(2)

    def forward(self, local):
        fine = self.entry(local)
        middle = self.down[0](self.pool(fine))
        coarse = self.down[1](self.pool(middle))
        middle = self.join[0](torch.cat([middle, self.up[0](coarse)], dim=1))
        fine = self.join[1](torch.cat([fine, self.up[1](middle)], dim=1))
        return self.tail(fine)


class PlainEncoder(nn.Module):
    """The encoder at one of its widths; takes the mel stack and returns `batch frame dim`."""

    def __init__(self, width=1.0, bin_count=128, heads=8, attention_dropout=0.1):
        super().__init__()
        narrow, middle, wide = (round(count * width) for count in (64, 128, 256))
        self.recording_branch = nn.Sequential(block(11, narrow), block(narrow, middle))
        self.playback_branch = nn.Sequential(block(2, narrow), block(narrow, middle))
        self.fusion = PlainAttention(middle, bin_count, heads, attention_dropout)
        self.reduction = nn.Sequential()
        for count in (middle, wide, wide):
            self.reduction.append(block(count, wide))
            self.reduction.append(nn.MaxPool2d((1, 2)))
        self.projection = frame_block(wide * (bin_count // 8), wide, 1)
        self.decoder = PlainDecoder(wide)

    def forward(self, features):
        recording, playback, intensity = features[:, :4], features[:, 4:6], features[:, 6:9]
        differences = [recording - playback[:, :1], recording - playback[:, 1:]]
        heard = self.recording_branch(torch.cat([*differences, intensity], dim=1))
        values = self.reduction(self.fusion(heard, self.playback_branch(playback)))
        flat = values.permute(0, 3, 1, 2).flatten(1, 2)  # the index is bin * channels + channel
        return self.decoder(self.projection(flat)).transpose(1, 2)
