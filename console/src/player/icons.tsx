import type { ReactNode } from 'react';

const icon = (path: ReactNode) => () => (
  <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round">
    {path}
  </svg>
);

const speaker = <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="currentColor" stroke="none" />;

export const PlayIcon = icon(<path d="M8 5.2v13.6L19 12z" fill="currentColor" stroke="none" />);
export const PauseIcon = icon(<path d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" fill="currentColor" stroke="none" />);
export const SoundIcon = icon(<>{speaker}<path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" /></>);
export const MutedIcon = icon(<>{speaker}<path d="m16 9.5 5 5m0-5-5 5" /></>);
export const FullscreenIcon = icon(<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />);
export const ExitFullscreenIcon = icon(<path d="M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5" />);
export const InfoIcon = icon(<><circle cx="12" cy="12" r="8.5" /><path d="M12 11v5M12 8v.01" /></>);
export const BackIcon = icon(<path d="m14.5 5-7 7 7 7" />);
export const CopyIcon = icon(<><rect x="8.5" y="8.5" width="11" height="11" rx="2" /><path d="M15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2" /></>);
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.5L19 7.5" />);
export const UpIcon = icon(<path d="m6.5 14.5 5.5-5.5 5.5 5.5" />);
export const ViewersIcon = icon(<><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="2.8" /></>);

export const Logo = () => (
  <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2.8" strokeLinecap="round">
    <path d="M5 10c3.7-4 7.3-4 11 0s7.3 4 11 0" />
    <path d="M5 16.5c3.7-4 7.3-4 11 0s7.3 4 11 0" opacity=".7" />
    <path d="M5 23c3.7-4 7.3-4 11 0s7.3 4 11 0" opacity=".4" />
  </svg>
);
